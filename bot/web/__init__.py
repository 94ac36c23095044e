"""Pages, callbacks and mounted endpoints: what browsers and vendors reach over HTTP. `app.create_web` builds it."""
