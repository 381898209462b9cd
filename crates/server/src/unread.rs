//! Bodies that nobody reads to their end.
//!
//! A connection whose request is not all there when its answer begins is closed by actix-web, so
//! that whoever sends the rest never, or a byte an hour, takes it away from nobody. Not so where
//! the body comes in chunks and whoever read it is gone: for the last chunk of those it waits
//! without end. So each is held until its answer is on its way.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::header::TRANSFER_ENCODING,
    web::Bytes,
};
use futures_util::Stream;

/// Longer than it takes to begin an answer.
const HELD: Duration = Duration::from_secs(2);

struct Body {
    payload: RefCell<Payload>,
    is_at_end: Cell<bool>,
}

/// A body that is held until a while after this goes.
pub(crate) struct Held(Option<Rc<Body>>);

/// What reads a held body.
struct Reader(Rc<Body>);

impl Held {
    /// Holds the body of a request, if it comes in chunks.
    pub(crate) fn of(req: &mut ServiceRequest) -> Self {
        if !req.headers().contains_key(TRANSFER_ENCODING) {
            return Self(None);
        }
        let payload = RefCell::new(req.take_payload());
        let body = Rc::new(Body { payload, is_at_end: Cell::new(false) });
        let reader: Pin<Box<dyn Stream<Item = _>>> = Box::pin(Reader(Rc::clone(&body)));
        req.set_payload(Payload::from(reader));
        Self(Some(body))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(body) = self.0.take().filter(|body| !body.is_at_end.get()) {
            actix_web::rt::spawn(async move {
                tokio::time::sleep(HELD).await;
                drop(body);
            });
        }
    }
}

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = &self.0;
        let polled = Pin::new(&mut *body.payload.borrow_mut()).poll_next(cx);
        body.is_at_end.set(matches!(polled, Poll::Ready(None)) || body.is_at_end.get());
        polled
    }
}
