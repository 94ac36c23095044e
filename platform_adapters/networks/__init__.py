"""The networks: one file each, declaration and examples inside. A module here that declares SPEC is a network."""
