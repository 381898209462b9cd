//! The ways in which services over HTTP fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{Fixture, Peer, Reply};

/// The fixture's own service.
pub(super) struct OverHttp<'a>(pub(super) &'a Fixture);

impl OverHttp<'_> {
    /// From now on, answers so many questions, and fails in this way from then on.
    pub(super) fn fails_after(&self, answers: usize, how: &str) {
        let (script, reply) = (Arc::clone(&self.0.script), failure(how));
        let asked = AtomicUsize::new(0);
        self.0.service.does(move |question| {
            if asked.fetch_add(1, Ordering::SeqCst) < answers {
                script(question)
            } else {
                reply.clone()
            }
        });
    }
}

impl Peer for OverHttp<'_> {
    fn works(&self) {
        let script = Arc::clone(&self.0.script);
        self.0.service.does(move |asked| script(asked));
    }

    fn failures(&self) -> Vec<String> {
        failing().into_iter().map(|(what, _)| what.to_owned()).collect()
    }

    fn fails(&self, how: &str) {
        self.0.service.always(failure(how));
    }

    fn hangs(&self) -> bool {
        self.0.service.always(Reply::Hang);
        true
    }
}

fn failure(how: &str) -> Reply {
    let found = failing().into_iter().find(|(what, _)| *what == how);
    found.map_or(Reply::Cut, |(_, reply)| reply)
}

fn failing() -> Vec<(&'static str, Reply)> {
    let page = "<html><body>Welcome! Pay for wireless here.</body></html>";
    let json = |body: &str| Reply::of(200, "application/json", body);
    let packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV\xca\x4c\x51\xb2\x02".to_vec();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    vec![
        ("a connection that is cut", Reply::Cut),
        ("a connection that is reset", Reply::Reset),
        ("500", Reply::status(500)),
        ("502 with a page", Reply::of(502, "text/html", page)),
        ("503", Reply::status(503)),
        ("504", Reply::status(504)),
        ("429", Reply::status(429)),
        ("404", Reply::of(404, "text/html", page)),
        ("418", Reply::status(418)),
        ("a portal's page with 200", Reply::of(200, "text/html", page)),
        ("a page that calls itself JSON", json(page)),
        ("a redirect", Reply::status(302).with_header("location", "/elsewhere")),
        ("a redirect that keeps the method", Reply::status(307).with_header("location", "/")),
        ("JSON that is cut off", json("{\"id\": 4")),
        ("a list", json("[]")),
        ("null", json("null")),
        ("a number", json("1")),
        ("false", json("false")),
        ("lists in lists without end", json(&"[".repeat(100_000))),
        ("bytes that are no text", {
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            Reply::Answer(200, headers, b"{\"id\": \"\xff\xfe\"}".to_vec())
        }),
        ("a packed answer", Reply::Answer(200, headers.to_vec(), packed)),
        ("a body that is shorter than promised", Reply::CutInBody),
        ("bytes that are no HTTP", Reply::Noise),
        ("silence", Reply::Hang),
        ("silence in the body", Reply::HangInBody),
        ("one byte now and then", Reply::Drip(Duration::from_millis(50), vec![b' '; 10_000])),
        ("a body without end", Reply::Endless),
    ]
}
