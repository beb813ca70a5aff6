"""The hash by which one event from several sources is recognised as one signal.

SHA-256, 64 lower-case hex digits, of the UTF-8 line `type|repository_id|identity`: the
signal type's name in the database's enum, the repository's GitHub id in decimal, and what
GitHub calls the thing (see `signals.py` for each type). No person and no time is in it,
because sources disagree about both.

Test vectors:

    commit|28067809|dbd68d30ee1f7b60d404553fc1c6226ebb374c8e
        307a2b27383e5e29795b8e569c624ce4a072984dbb76ccae3b65bc77019d0a47
    pr_merge|17165658|3842
        d3c2143e6e91a994340801eb416fc630687971e9ed285277cf13150f24b147e0
    comment|27114957|68477208
        521d2c726bf751eb6b400b53244c4d2fbdb11e7c64503de033d8d5b76f82d687
    spam|27114957|comment:68477208
        88a6c8d4a2cab93a1e1ff4383e6e02b2d960d5cae530f4bf3832398543aa65b8
"""

from hashlib import sha256


def content_hash(signal_type: str, repository_id: int, identity: str) -> str:
    """The 64 lower-case hex digits of one event."""
    return sha256(f"{signal_type}|{repository_id}|{identity}".encode()).hexdigest()
