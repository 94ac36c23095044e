"""Run by Alembic, with the connection that `storage.migrations.upgrade` hands over."""

from alembic import context

from storage.tables import organizations

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=organizations.metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
