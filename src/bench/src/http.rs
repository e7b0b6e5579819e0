//! One keep-alive connection that asks and waits for the answer: as little HTTP/1.1 as this takes, so that asking
//! costs little beside answering.

use super::Result;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub struct Connection {
    stream: TcpStream,
    /// What has come in; the answer's head and body begin at its start.
    received: Vec<u8>,
    body: Vec<u8>,
}

/// An answer, whole and without its chunks' seams.
pub struct Answer<'a> {
    pub status: u16,
    /// The status line and the headers.
    pub head: &'a str,
    pub body: &'a [u8],
}

impl Answer<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// # Errors
    /// With the beginning of the answer where it has another status.
    pub fn expect(self, status: u16, what: &str) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let body: String = String::from_utf8_lossy(self.body).chars().take(300).collect();
        Err(format!("{what}: status {}, not {status}: {body}", self.status).into())
    }
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    headers.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

impl Connection {
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(65_536), body: Vec::new() })
    }

    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        self.body.clear();
        let head_end = loop {
            let searched = self.received.len().saturating_sub(3);
            self.receive().await?;
            if let Some(at) = find(&self.received[searched..], b"\r\n\r\n") {
                break searched + at + 4;
            }
        };
        let head = std::str::from_utf8(&self.received[..head_end])?;
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or("not an HTTP answer")?;
        let length = header(head, "content-length").map(str::parse::<usize>).transpose()?;
        match length {
            Some(length) => {
                while self.received.len() < head_end + length {
                    self.receive().await?;
                }
                self.body.extend_from_slice(&self.received[head_end..head_end + length]);
            }
            None if header(head, "transfer-encoding") == Some("chunked") => {
                self.read_chunks(head_end).await?
            }
            None => return Err("an answer without a length".into()),
        }
        Ok(Answer { status, head: std::str::from_utf8(&self.received[..head_end])?, body: &self.body })
    }

    async fn read_chunks(&mut self, mut at: usize) -> Result<()> {
        loop {
            let line = loop {
                match find(&self.received[at..], b"\r\n") {
                    Some(length) => break length,
                    None => self.receive().await?,
                }
            };
            let size = usize::from_str_radix(std::str::from_utf8(&self.received[at..at + line])?, 16)?;
            at += line + 2;
            while self.received.len() < at + size + 2 {
                self.receive().await?;
            }
            self.body.extend_from_slice(&self.received[at..at + size]);
            at += size + 2;
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn receive(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("the connection was closed in the middle of an answer".into()),
            _ => Ok(()),
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
