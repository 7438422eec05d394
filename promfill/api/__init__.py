"""The public face for Python, behind `import promfill`: nouns that print in one line, and a verb for each job.

`promfill.__all__` names what is public, and `promfill.__getattr__` imports it from here on first use.
"""
