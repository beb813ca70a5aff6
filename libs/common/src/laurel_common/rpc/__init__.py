"""Servers and clients of gRPC."""

from laurel_common.rpc.core import settle_core

# gRPC looks at its switches once, when it is imported; every service comes by here before that.
settle_core()
