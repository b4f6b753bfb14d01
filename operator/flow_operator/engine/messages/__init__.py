"""Messages: what is sent and received, and how it is stored. Nothing here knows of a definition or a run.

| file | what is in it |
|---|---|
| `headers` | which headers are Flow's own, and which a user may set |
| `observation` | a request as the caller sends it, and what the caller saw of it |
| `payload` | bodies as they are stored |
| `excerpt` | a response in a few words, for messages |
| `limits` | sizes in bytes |
"""
