"""The running process: watches, tells, delivers, serves pages; `bootstrap` wires it all."""
