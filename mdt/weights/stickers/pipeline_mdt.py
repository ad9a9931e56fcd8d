from mdt.pipeline import Pipeline  # noqa: F401
