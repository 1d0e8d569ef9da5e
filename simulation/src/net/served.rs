//! The server's end of the network: what a transport does with a stream.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chat_svc::session::Stream;
use parlor_wire::chat::v1::{ServerFrame, server_frame};
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;

use super::{BUFFERED, Down, Net, Up};
use crate::disk::lock;
use crate::points::Point;
use crate::service::Service;

impl Net {
    /// What has arrived at the server's end is taken in, and what it has to say is sent, as buffers have room.
    pub fn serve(&mut self, service: &Service) {
        let names: Vec<u64> = self.wires.keys().copied().collect();
        for name in names {
            while let Some(up) = self.next_up(name) {
                self.take_in(name, up, service);
            }
            self.pull(name, service);
        }
    }

    /// There is nobody to connect to.
    pub fn refuse(&mut self) {
        let names: Vec<u64> = self.wires.keys().copied().collect();
        for name in names {
            while self.next_up(name).is_some() {
                let at = self.later();
                let Some(wire) = self.wires.get_mut(&name).filter(|wire| !wire.server_is_gone) else {
                    continue;
                };
                wire.server_is_gone = true;
                wire.down.push_back((at, Down::Over(None)));
            }
        }
    }

    fn next_up(&mut self, name: u64) -> Option<Up> {
        let now = self.now;
        let wire = self.wires.get_mut(&name).filter(|wire| !wire.dead)?;
        wire.up.pop_front_if(|(at, _)| *at <= now).map(|(_, up)| up)
    }

    fn take_in(&mut self, name: u64, up: Up, service: &Service) {
        let Some(wire) = self.wires.get_mut(&name).filter(|wire| !wire.server_is_gone) else { return };
        match up {
            Up::Frames(frames) => {
                let (user, session) = (wire.user, wire.session);
                let open = || service.within(|| Stream::open(user, session, service.deps.clone()));
                let stream = wire.stream.get_or_insert_with(open);
                let frames = wire.bent.up(frames);
                service.within(|| stream.frames(frames));
            }
            Up::Push(number, frames) => {
                let Some(stream) = wire.stream.clone() else { return };
                let is_late = wire.came.last().is_some_and(|last| number < *last);
                let bent = wire.bent.up(frames.clone());
                if service.within(|| stream.push(number, bent)).is_err() {
                    // Too far ahead of one that is still missing.
                    return self.call(name, number, frames);
                }
                if !wire.came.insert(number) {
                    lock(&self.points).meet(Point::Doubled);
                } else if is_late {
                    lock(&self.points).meet(Point::Overtaken);
                }
            }
            Up::Over => {
                wire.server_is_gone = true;
                if let Some(stream) = wire.stream.take() {
                    service.within(|| stream.gone());
                }
            }
        }
    }

    fn pull(&mut self, name: u64, service: &Service) {
        let context = Context::from_waker(Waker::noop());
        loop {
            let at = self.later();
            let Some(wire) = self.wires.get_mut(&name) else { return };
            let Some(stream) = wire.stream.clone() else { return };
            if wire.down.len() >= BUFFERED {
                return;
            }
            let at = wire.down.back().map_or(at, |(last, _)| at.max(*last));
            match service.within(|| stream.poll(&context)) {
                Poll::Pending => return,
                Poll::Ready(Ok(batch)) => {
                    let session = wire.session;
                    let has_ended = lock(&self.ended).contains(&session);
                    if (has_ended || !wire.served) && !batch.frames.iter().all(is_goodbye) {
                        wire.served = true;
                        if has_ended {
                            let what = format!("G7: {session} was served when its end was known");
                            self.breach.get_or_insert(what);
                        }
                    }
                    let (frames, said) = wire.bent.down(batch.frames);
                    wire.down.push_back((at, Down::Batch(batch.batch, frames)));
                    if !said.is_empty() {
                        service.within(|| stream.frames(said));
                    }
                }
                Poll::Ready(Err(farewell)) => {
                    match farewell.reason {
                        ErrorReason::IdleTimeout => lock(&self.points).meet(Point::SilentClient),
                        ErrorReason::Displaced => lock(&self.points).meet(Point::Displaced),
                        ErrorReason::SessionEnded if wire.served => {
                            lock(&self.points).meet(Point::SessionEnded)
                        }
                        ErrorReason::SessionEnded => lock(&self.points).meet(Point::EndedAtTheDoor),
                        _ => {}
                    }
                    wire.down.push_back((at, Down::Over(Some(farewell.to_problem()))));
                    (wire.stream, wire.server_is_gone) = (None, true);
                    service.within(|| stream.gone());
                }
            }
        }
    }
}

fn is_goodbye(frame: &Bytes) -> bool {
    let kind = ServerFrame::decode(&frame[..]).ok().and_then(|frame| frame.kind);
    matches!(kind, Some(server_frame::Kind::Goodbye(_)))
}
