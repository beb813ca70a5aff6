"""What is asked of GitHub's GraphQL, each query by its name.

Every answer tells what it cost. Lists come in pages: heavier ones than 50 end in 502 now and then.
"""

from collections.abc import Sequence
from typing import Final

_RATE: Final = "rateLimit { cost limit remaining resetAt }"
_PAGE: Final = "pageInfo { hasNextPage endCursor }"

# The typename tells bots; ids are GitHub's numbers, as REST has them.
_WHO: Final = """
fragment who on Actor {
  __typename
  login
  avatarUrl
  ... on User { id: databaseId }
  ... on Bot { id: databaseId }
  ... on Mannequin { id: databaseId }
  ... on Organization { id: databaseId }
}
"""
_COMMENT: Final = f"""
fragment comment on IssueComment {{
  fullDatabaseId createdAt updatedAt isMinimized minimizedReason
  author {{ ...who }}
}}
{_WHO}
"""
_REVIEW_COMMENT: Final = """
fragment reviewComment on PullRequestReviewComment {
  fullDatabaseId createdAt updatedAt isMinimized minimizedReason
  author { ...who }
}
"""
_REVIEW: Final = f"""
fragment review on PullRequestReview {{
  id fullDatabaseId state submittedAt updatedAt
  author {{ ...who }}
  comments(first: 10) {{ {_PAGE} nodes {{ ...reviewComment }} }}
}}
{_REVIEW_COMMENT}
"""

COMMITS: Final = f"""
query Commits(
  $owner: String!, $name: String!, $head: GitObjectID!, $size: Int!, $after: String,
  $since: GitTimestamp
) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    object(oid: $head) {{
      ... on Commit {{
        history(first: $size, after: $after, since: $since) {{
          totalCount {_PAGE}
          nodes {{
            oid authoredDate additions deletions message
            parents(first: 10) {{ totalCount nodes {{ oid }} }}
            authors(first: 20) {{
              totalCount
              nodes {{ name email avatarUrl user {{ id: databaseId login avatarUrl }} }}
            }}
            associatedPullRequests(first: 5) {{
              nodes {{ number merged baseRepository {{ databaseId }} }}
            }}
          }}
        }}
      }}
    }}
  }}
  {_RATE}
}}
"""

# Newest change first: a run reads until it meets what the last one had. What changes meanwhile
# moves to the front, where the next run finds it.
PULLS: Final = f"""
query Pulls($owner: String!, $name: String!, $size: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    page: pullRequests(
      first: $size, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}
    ) {{
      totalCount {_PAGE}
      nodes {{
        id number title body state createdAt updatedAt closedAt mergedAt activeLockReason
        author {{ ...who }}
        mergedBy {{ ...who }}
        mergeCommit {{ oid }}
        labels(first: 20) {{ nodes {{ name }} }}
        closingIssuesReferences(first: 10) {{ nodes {{ number repository {{ databaseId }} }} }}
        dismissals: timelineItems(first: 10, itemTypes: [REVIEW_DISMISSED_EVENT]) {{
          nodes {{
            ... on ReviewDismissedEvent {{ previousReviewState review {{ fullDatabaseId }} }}
          }}
        }}
        reviews(first: 10) {{ {_PAGE} nodes {{ ...review }} }}
        comments(first: 20) {{ {_PAGE} nodes {{ ...comment }} }}
      }}
    }}
  }}
  {_RATE}
}}
{_REVIEW}
{_COMMENT}
"""

ISSUES: Final = f"""
query Issues($owner: String!, $name: String!, $size: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    page: issues(first: $size, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      totalCount {_PAGE}
      nodes {{
        id number title state createdAt updatedAt closedAt activeLockReason
        author {{ ...who }}
        labels(first: 20) {{ nodes {{ name }} }}
        closings: timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {{
          nodes {{
            ... on ClosedEvent {{
              createdAt
              actor {{ ...who }}
              closer {{
                __typename
                ... on Commit {{ associatedPullRequests(first: 1) {{ totalCount }} }}
              }}
            }}
          }}
        }}
        comments(first: 20) {{ {_PAGE} nodes {{ ...comment }} }}
      }}
    }}
  }}
  {_RATE}
}}
{_COMMENT}
"""

# All of them, in an order that no change disturbs while they are read.
_NEWEST_FIRST: Final = "{field: UPDATED_AT, direction: DESC}"
_OLDEST_FIRST: Final = "{field: CREATED_AT, direction: ASC}"
ALL_PULLS: Final = PULLS.replace("query Pulls", "query AllPulls").replace(
    _NEWEST_FIRST, _OLDEST_FIRST
)
ALL_ISSUES: Final = ISSUES.replace("query Issues", "query AllIssues").replace(
    _NEWEST_FIRST, _OLDEST_FIRST
)

# What one thing has more of than its page showed.
MORE_REVIEWS: Final = f"""
query MoreReviews($id: ID!, $size: Int!, $after: String) {{
  node(id: $id) {{
    ... on PullRequest {{
      page: reviews(first: $size, after: $after) {{ {_PAGE} nodes {{ ...review }} }}
    }}
  }}
  {_RATE}
}}
{_REVIEW}
{_WHO}
"""
MORE_REVIEW_COMMENTS: Final = f"""
query MoreReviewComments($id: ID!, $size: Int!, $after: String) {{
  node(id: $id) {{
    ... on PullRequestReview {{
      page: comments(first: $size, after: $after) {{ {_PAGE} nodes {{ ...reviewComment }} }}
    }}
  }}
  {_RATE}
}}
{_REVIEW_COMMENT}
{_WHO}
"""
MORE_COMMENTS: Final = f"""
query MoreComments($id: ID!, $size: Int!, $after: String) {{
  node(id: $id) {{
    ... on PullRequest {{
      page: comments(first: $size, after: $after) {{ {_PAGE} nodes {{ ...comment }} }}
    }}
    ... on Issue {{
      page: comments(first: $size, after: $after) {{ {_PAGE} nodes {{ ...comment }} }}
    }}
  }}
  {_RATE}
}}
{_COMMENT}
"""

# Which there still are, a hundred a point: asked only where their number is not what it should be.
PULL_NUMBERS: Final = f"""
query PullNumbers($owner: String!, $name: String!, $size: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    databaseId
    page: pullRequests(
      first: $size, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}
    ) {{
      totalCount {_PAGE}
      nodes {{ number }}
    }}
  }}
  {_RATE}
}}
"""
ISSUE_NUMBERS: Final = PULL_NUMBERS.replace("PullNumbers", "IssueNumbers").replace(
    "pullRequests", "issues"
)

_PROBED: Final = """
fragment probed on Repository {
  databaseId nameWithOwner isFork isPrivate isEmpty pushedAt
  defaultBranchRef { name target { oid } }
  pulls: pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount nodes { updatedAt }
  }
  issues(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount nodes { updatedAt }
  }
}
"""


def probe(full_names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A query of what has changed in each of some repositories, as r0, r1, …; its variables."""
    declared, asked = [], []
    variables: dict[str, str] = {}
    for place, full_name in enumerate(full_names):
        owner, _, name = full_name.partition("/")
        variables |= {f"o{place}": owner, f"n{place}": name}
        declared.append(f"$o{place}: String!, $n{place}: String!")
        asked.append(
            f"r{place}: repository(owner: $o{place}, name: $n{place}) {{ ...probed }}",
        )
    text = f"query Probe({', '.join(declared)}) {{ {' '.join(asked)} {_RATE} }} {_PROBED}"
    return text, variables


ALL: Final = {
    "commits": COMMITS,
    "pulls": PULLS,
    "issues": ISSUES,
    "more_reviews": MORE_REVIEWS,
    "more_review_comments": MORE_REVIEW_COMMENTS,
    "more_comments": MORE_COMMENTS,
    "pull_numbers": PULL_NUMBERS,
    "issue_numbers": ISSUE_NUMBERS,
    "all_pulls": ALL_PULLS,
    "all_issues": ALL_ISSUES,
}
