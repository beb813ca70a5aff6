"""The steps that every call goes through; rpc/chain.py puts them in order."""
