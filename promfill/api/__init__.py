"""The Python API behind `import promfill`: classes that describe things, and one function for each job.

`promfill.__all__` names what is public, and `promfill.__getattr__` imports it from here on first use.
"""
