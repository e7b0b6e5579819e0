//! A client's stream: it fails once the client has taken nothing of what is written for too long, and it is closed so that
//! the last answer arrives.
//!
//! A request can be answered before all of its body was read, for it is refused. Closed with bytes unread, TCP takes back
//! what the other side has not read yet: a proxy that is still passing the body on answers 502 in place of the refusal. So
//! what comes after the end of writing is read and thrown away, for a while.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long a client may go on to send what nobody reads.
const LINGER: Duration = Duration::from_secs(2);

pub struct ClientStream<S> {
    stream: S,
    write_timeout: Duration,
    /// There while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// There once nothing more is written.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl<S> ClientStream<S> {
    pub fn new(stream: S, write_timeout: Duration) -> Self {
        Self { stream, write_timeout, waiting: None, lingering: None }
    }

    /// What a write came to, or an error where it has waited for too long.
    fn within_time<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let timeout = self.write_timeout;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.within_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.within_time(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            let shut_down = Pin::new(&mut self.stream).poll_shutdown(context);
            ready!(self.within_time(context, shut_down))?;
        }
        let Self { stream, lingering, .. } = &mut *self;
        let end = lingering.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut bytes = [0; 8 * 1_024];
        while end.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
