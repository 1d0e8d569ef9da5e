//! HTTP/2 as far as somebody needs it who looks on: which frames go by, and what is in a ping.

/// What a client says before its first frame, bytes.
const PREFACE: usize = 24;
/// What each frame begins with, bytes: three of length, one of kind, one of flags, four of the stream.
const HEADER: usize = 9;

pub const HEADERS: u8 = 1;
pub const DATA: u8 = 0;
pub const RST_STREAM: u8 = 3;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;

/// Of HEADERS and DATA: nothing comes after on this stream.
const END_STREAM: u8 = 1;
/// Of PING: it is an answer.
const ACK: u8 = 1;

/// A frame that went by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    flags: u8,
    pub stream: u32,
    /// Of a ping alone.
    pub body: Vec<u8>,
}

impl Frame {
    /// It ends its side of its stream.
    pub fn ends_stream(&self) -> bool {
        self.kind == RST_STREAM || (matches!(self.kind, HEADERS | DATA) && self.flags & END_STREAM != 0)
    }

    /// A ping that wants an answer.
    pub fn asks(&self) -> bool {
        self.kind == PING && self.flags & ACK == 0
    }

    /// The answer to a ping.
    pub fn pong(&self) -> Vec<u8> {
        let mut answer = vec![0, 0, 8, PING, ACK, 0, 0, 0, 0];
        answer.extend_from_slice(&self.body);
        answer
    }
}

/// One direction of a connection.
#[derive(Debug)]
pub struct Frames {
    /// Bytes that are of no interest.
    skip: usize,
    head: Vec<u8>,
    /// A ping whose body is not complete, and how much of that is missing.
    ping: Option<(Frame, usize)>,
}

impl Frames {
    /// What a client says.
    pub fn of_client() -> Self {
        Self { skip: PREFACE, head: Vec::new(), ping: None }
    }

    /// What a server says.
    pub fn of_server() -> Self {
        Self { skip: 0, head: Vec::new(), ping: None }
    }

    /// No frame is half said.
    pub fn is_between(&self) -> bool {
        self.skip == 0 && self.head.is_empty() && self.ping.is_none()
    }

    /// The frames that begin in these bytes, and pings that end in them.
    pub fn pass(&mut self, mut bytes: &[u8]) -> Vec<Frame> {
        let mut passed = Vec::new();
        while !bytes.is_empty() {
            let wanted = match &self.ping {
                _ if self.skip > 0 => self.skip,
                Some((_, missing)) => *missing,
                None => HEADER - self.head.len(),
            };
            let (now, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.skip > 0 {
                self.skip -= now.len();
            } else if let Some((mut ping, missing)) = self.ping.take() {
                ping.body.extend_from_slice(now);
                if now.len() == missing {
                    passed.push(ping);
                } else {
                    self.ping = Some((ping, missing - now.len()));
                }
            } else {
                self.head.extend_from_slice(now);
                passed.extend(self.begin());
            }
        }
        passed
    }

    /// A frame begins, if its header is complete.
    fn begin(&mut self) -> Option<Frame> {
        let &[a, b, c, kind, flags, w, x, y, z] = &self.head[..] else { return None };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let stream = u32::from_be_bytes([w & 0x7f, x, y, z]);
        self.head.clear();
        let frame = Frame { kind, flags, stream, body: Vec::new() };
        if kind == PING {
            self.ping = Some((frame, length));
            return None;
        }
        self.skip = length;
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let mut said = vec![b'x'; PREFACE];
        said.extend([0, 0, 3, HEADERS, END_STREAM, 0, 0, 0, 5, 1, 2, 3]);
        said.extend([0, 0, 8, PING, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        said.extend([0, 0, 0, DATA, 0, 0, 0, 0, 7]);
        for size in 1..said.len() {
            let mut frames = Frames::of_client();
            let passed: Vec<_> = said.chunks(size).flat_map(|part| frames.pass(part)).collect();
            let kinds: Vec<_> = passed.iter().map(|frame| (frame.kind, frame.stream)).collect();
            assert_eq!(kinds, [(HEADERS, 5), (PING, 0), (DATA, 7)], "in parts of {size}");
            assert!(passed[0].ends_stream() && !passed[2].ends_stream() && frames.is_between());
            assert!(passed[1].asks());
            assert_eq!(passed[1].pong()[..], [0, 0, 8, PING, ACK, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        }
    }
}
