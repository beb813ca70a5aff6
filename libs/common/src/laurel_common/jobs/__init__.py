"""Durable jobs in PostgreSQL: a schema per service, a queue per lane, a worker in the process.

A job only says when; what is to be done stands in a row of the service's own (ADR 31).
"""

from laurel_common.jobs.loop import Loop
from laurel_common.jobs.queue import JobQueue, Lane
from laurel_common.jobs.schema import JobSchema
from laurel_common.jobs.worker import OpenWork, Worker

__all__ = ["JobQueue", "JobSchema", "Lane", "Loop", "OpenWork", "Worker"]
