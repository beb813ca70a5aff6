"""PostgreSQL: the engine, transactions, and driver errors made into typed ones."""

from laurel_common.db.engine import create_engine
from laurel_common.db.errors import Constraints, typed_errors
from laurel_common.db.transaction import run_transaction, transaction

__all__ = ["Constraints", "create_engine", "run_transaction", "transaction", "typed_errors"]
