//! The store as plainly as it can be said: what the other one is compared with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use parlor_runtime::time::{from_millis, to_millis};
use parlor_types::{MediaId, UserId};

use super::{Begin, BeginError, Claim, ClaimError, Condemned, Error, Place, Random, Release, Round, Store};
use crate::media::{Finished, Record, Stage};
use crate::parts::Parts;
use crate::quota::{Hour, Usage};

/// Records in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<MediaId, Row>,
    claims: BTreeMap<(MediaId, Place), SystemTime>,
    begun: Vec<(UserId, Hour, u64)>,
    random: HashMap<Random, [u8; 32]>,
}

#[derive(Debug)]
struct Row {
    record: Record,
    due: Option<SystemTime>,
    condemned: Option<Round>,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole milliseconds, as a database keeps them.
fn whole(time: SystemTime) -> SystemTime {
    from_millis(to_millis(time))
}

impl State {
    fn usage(&self, owner: UserId, now: Hour) -> Usage {
        let mut usage = Usage::default();
        for record in self.rows.values().map(|row| &row.record).filter(|record| record.owner == owner) {
            match &record.stage {
                Stage::Uploading { .. } => {
                    usage.unfinished += 1;
                    usage.stored_bytes += record.declared.size;
                }
                Stage::Finished(finished) => usage.stored_bytes += finished.stored_bytes(),
                Stage::Refused => {}
            }
        }
        let today = self.begun.iter().filter(|(who, hour, _)| *who == owner && *hour >= now.day_begins());
        for (_, hour, bytes) in today {
            usage.uploads_today += 1;
            usage.bytes_today += bytes;
            usage.first_hour = Some(usage.first_hour.map_or(*hour, |first| first.min(*hour)));
        }
        usage
    }

    fn delete(&mut self, id: MediaId) {
        self.rows.remove(&id);
        self.claims.retain(|(of, _), _| *of != id);
    }

    fn upload(&mut self, id: MediaId) -> Option<&mut Row> {
        self.rows.get_mut(&id).filter(|row| matches!(row.record.stage, Stage::Uploading { .. }))
    }

    fn kept_until(&self, id: MediaId) -> Option<SystemTime> {
        self.claims.iter().filter(|((of, _), _)| *of == id).map(|(_, until)| *until).max()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self, begin: Begin) -> Result<Record, BeginError> {
        let mut state = self.state();
        let mut records = state.rows.values().map(|row| &row.record);
        if let Some(found) = records.find(|record| record.owner == begin.owner && record.op == begin.op) {
            let same = found.declared == begin.declared;
            return if same { Ok(found.clone()) } else { Err(BeginError::OpReused) };
        }
        let (now, size) = (to_millis(begin.now), begin.declared.size);
        let usage = state.usage(begin.owner, Hour::of(now));
        begin.quota.check(&usage, size, now).map_err(BeginError::Exceeded)?;
        state.begun.push((begin.owner, Hour::of(now), size));
        let record = Record {
            id: begin.id,
            owner: begin.owner,
            op: begin.op,
            declared: begin.declared,
            created: whole(begin.now),
            stage: Stage::Uploading { parts: Parts::none(size), expires: whole(begin.expires) },
            was_avatar: false,
        };
        state.rows.insert(begin.id, Row { record: record.clone(), due: None, condemned: None });
        Ok(record)
    }

    async fn records(&self, ids: Vec<MediaId>) -> Result<Vec<Option<Record>>, Error> {
        let state = self.state();
        Ok(ids.iter().map(|id| state.rows.get(id).map(|row| row.record.clone())).collect())
    }

    async fn save_parts(&self, id: MediaId, parts: Parts, expires: SystemTime) -> Result<bool, Error> {
        let mut state = self.state();
        let Some(row) = state.upload(id) else { return Ok(false) };
        row.record.stage = Stage::Uploading { parts, expires: whole(expires) };
        Ok(true)
    }

    async fn finish(&self, id: MediaId, finished: Finished, due: SystemTime) -> Result<bool, Error> {
        let mut state = self.state();
        let Some(row) = state.upload(id) else { return Ok(false) };
        row.record.stage = Stage::Finished(finished);
        row.due = Some(whole(due));
        Ok(true)
    }

    async fn drop_upload(&self, id: MediaId) -> Result<bool, Error> {
        let mut state = self.state();
        let found = state.upload(id).is_some();
        if found {
            state.delete(id);
        }
        Ok(found)
    }

    async fn expire(&self, now: SystemTime, limit: u32) -> Result<Vec<MediaId>, Error> {
        let mut state = self.state();
        let expiry = |row: &Row| match row.record.stage {
            Stage::Uploading { expires, .. } if expires < whole(now) => Some((expires, row.record.id)),
            _ => None,
        };
        let mut expired: Vec<_> = state.rows.values().filter_map(expiry).collect();
        expired.sort_unstable();
        let ids: Vec<_> = expired.into_iter().take(limit as usize).map(|(_, id)| id).collect();
        ids.iter().for_each(|id| state.delete(*id));
        Ok(ids)
    }

    async fn usage(&self, owner: UserId, now: SystemTime) -> Result<Usage, Error> {
        Ok(self.state().usage(owner, Hour::of(to_millis(now))))
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Record>, ClaimError> {
        let mut state = self.state();
        for id in &claim.ids {
            let found = state.rows.get(id).map(|row| &row.record);
            let theirs = found.filter(|record| record.owner == claim.user || claim.readable.contains(id));
            match theirs.map(|record| &record.stage) {
                Some(Stage::Finished(_)) => {}
                Some(Stage::Refused) => return Err(ClaimError::Refused),
                Some(Stage::Uploading { .. }) | None => return Err(ClaimError::NotFound),
            }
        }
        let until = whole(claim.until);
        let mut records = Vec::new();
        for id in claim.ids {
            state.claims.insert((id, claim.place), until);
            let row = state.rows.get_mut(&id).expect("it was looked at");
            row.due = row.due.max(Some(until));
            row.condemned = None;
            row.record.was_avatar |= matches!(claim.place, Place::Profile(_));
            records.push(row.record.clone());
        }
        Ok(records)
    }

    async fn release(&self, release: Release) -> Result<(), Error> {
        let mut state = self.state();
        let (now, settled) = (whole(release.now), whole(release.now + release.settles));
        for id in release.ids {
            if let Some(until) = state.claims.get_mut(&(id, release.place)) {
                *until = settled.min(*until);
            }
            let due = state.kept_until(id).map_or(now, |until| until.max(now));
            if let Some(row) = state.rows.get_mut(&id).filter(|row| row.due.is_some()) {
                row.due = Some(due);
                row.condemned = None; // what a round was told of it is older than this
            }
        }
        Ok(())
    }

    async fn condemn(&self, round: Round, now: SystemTime, limit: u32) -> Result<Vec<MediaId>, Error> {
        let mut state = self.state();
        let due = |row: &Row| row.due.filter(|due| *due <= whole(now)).map(|due| (due, row.record.id));
        let mut ids: Vec<_> = state.rows.values().filter_map(due).collect();
        ids.sort_unstable();
        let ids: Vec<_> = ids.into_iter().take(limit as usize).map(|(_, id)| id).collect();
        for id in &ids {
            state.rows.get_mut(id).expect("it was found").condemned = Some(round);
        }
        Ok(ids)
    }

    async fn condemn_own(
        &self,
        round: Round,
        id: MediaId,
        owner: UserId,
        now: SystemTime,
    ) -> Result<Condemned, Error> {
        let mut state = self.state();
        let claimed = state.kept_until(id).is_some_and(|until| until > whole(now));
        let Some(row) = state.rows.get_mut(&id).filter(|row| row.record.owner == owner) else {
            return Ok(Condemned::Gone);
        };
        if matches!(row.record.stage, Stage::Uploading { .. }) {
            state.delete(id);
            return Ok(Condemned::Dropped);
        }
        if claimed {
            return Ok(Condemned::Claimed);
        }
        row.condemned = Some(round);
        Ok(Condemned::ByRound)
    }

    async fn collect(
        &self,
        round: Round,
        unused: Vec<MediaId>,
        used: Vec<MediaId>,
        next: SystemTime,
    ) -> Result<Vec<MediaId>, Error> {
        let mut state = self.state();
        for id in used {
            if let Some(row) = state.rows.get_mut(&id).filter(|row| row.condemned == Some(round)) {
                row.due = row.due.max(Some(whole(next)));
                row.condemned = None;
            }
        }
        let mut gone = Vec::new();
        for id in unused {
            if state.rows.get(&id).is_some_and(|row| row.condemned == Some(round)) {
                state.delete(id);
                gone.push(id);
            }
        }
        Ok(gone)
    }

    async fn unchecked(&self, after: Option<MediaId>, limit: u32) -> Result<Vec<MediaId>, Error> {
        let state = self.state();
        let checking = |row: &&Row| row.record.finished().is_some_and(|finished| finished.checking);
        let ids = state.rows.values().filter(checking).map(|row| row.record.id);
        Ok(ids.filter(|id| Some(*id) > after).take(limit as usize).collect())
    }

    async fn checked(&self, id: MediaId, harmless: bool) -> Result<bool, Error> {
        let mut state = self.state();
        let Some(row) = state.rows.get_mut(&id) else { return Ok(false) };
        let Stage::Finished(finished) = &mut row.record.stage else { return Ok(false) };
        if !std::mem::take(&mut finished.checking) {
            return Ok(false);
        }
        if !harmless {
            row.record.stage = Stage::Refused;
        }
        Ok(true)
    }

    async fn random(&self, which: Random, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
        Ok(*self.state().random.entry(which).or_insert(fresh))
    }

    async fn tidy(&self, now: SystemTime) -> Result<(), Error> {
        let mut state = self.state();
        state.claims.retain(|_, until| *until > whole(now));
        state.begun.retain(|(_, hour, _)| *hour >= Hour::of(to_millis(now)).day_begins());
        Ok(())
    }
}

mod tests {
    use std::sync::Arc;

    use super::MemoryStore;
    use crate::store::conformance::{self, Fixture};

    fn fixture() -> Fixture {
        Fixture { store: Arc::new(MemoryStore::default()), _folder: None }
    }

    conformance::suite!(fixture);
}
