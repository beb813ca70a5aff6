"""How the things that GitHub counts are counted here: over facts `f` of repositories."""

from typing import Final

KINDS: Final = "('commit', 'pull_request', 'issue')"

COMMITS: Final = """count(*) FILTER (WHERE f.kind = 'commit' AND (
    f.body -> 'walked' -> 2 = 'true'::jsonb
    OR (f.body ? 'on_default_branch' AND NOT f.body ? 'walked')
))"""
PULLS: Final = """count(*) FILTER (
    WHERE f.kind = 'pull_request' AND f.body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
)"""
ISSUES: Final = """count(*) FILTER (
    WHERE f.kind = 'issue' AND f.body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
)"""
