//! The thread that reads: diesel waits for the database, and an async task must not.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use futures_channel::mpsc;
use vestibule_core::OpCx;

use super::{
    error::ImportError,
    known::Known,
    plan::{Halt, Planner, Said},
    source::{Address, Source, find},
};

/// How many messages may wait: enough that neither side stands still, few enough that a source
/// that is read faster than it is written does not fill the memory.
const WAITING: usize = 8;

/// What is to be read.
pub(super) struct Job {
    pub(super) address: Address,
    pub(super) user_table: Option<String>,
    pub(super) known: Known,
    pub(super) batch_rows: usize,
    pub(super) cx: OpCx,
}

/// Reads on a thread of its own, which ends when nobody listens any more.
pub(super) fn start(job: Job) -> Result<mpsc::Receiver<Said>, ImportError> {
    let (mut sender, receiver) = mpsc::channel(WAITING);
    thread::Builder::new()
        .name("django-import".to_owned())
        .spawn(move || {
            let mut say = |said| send(&mut sender, said);
            if let Err(Halt::Failed(error)) = read(job, &mut say) {
                // Nobody left to tell is no error of its own.
                let _ = say(Said::Failed(error));
            }
        })
        .map_err(|error| ImportError::Reading {
            what: "anything".to_owned(),
            reason: format!("no thread could be started: {error}"),
        })?;
    Ok(receiver)
}

fn read(job: Job, say: &mut dyn FnMut(Said) -> Result<(), Halt>) -> Result<(), Halt> {
    let mut source = Source::open(&job.address)?;
    let found = find(&mut source, job.user_table.as_deref())?;
    say(Said::Found(found.users.clone()))?;
    let planner = Planner::new(found, job.known, &job.cx, job.batch_rows, say);
    let summary = planner.run(&mut source)?;
    source.close()?;
    say(Said::Done(Box::new(summary)))
}

/// Waits until there is room, then sends.
fn send(sender: &mut mpsc::Sender<Said>, said: Said) -> Result<(), Halt> {
    block_on(poll_fn(|cx| sender.poll_ready(cx)))
        .and_then(|()| sender.start_send(said))
        .map_err(|_| Halt::Abandoned)
}

/// Waits for a future on this thread, which has nothing else to do.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
