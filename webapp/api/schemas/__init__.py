"""The shapes of what comes in and goes out, in camelCase. They parse and show; every rule is decided below."""
