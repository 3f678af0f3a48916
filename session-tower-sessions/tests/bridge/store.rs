//! A store that counts its loads, and that a test can slow down or take away.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};

use crate::stage::Stage;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Create,
    Save,
    Load,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Moment {
    /// Before it has had its effect.
    Before,
    /// Between its effect and its answer.
    After,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Store(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    records: Mutex<HashMap<Id, Record>>,
    loads: AtomicUsize,
    failing: Mutex<HashSet<Call>>,
    stops: Mutex<HashMap<(Call, Moment), Stage>>,
}

impl Store {
    /// The number of loads since the last question.
    pub(crate) fn loads(&self) -> usize {
        self.0.loads.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn ids(&self) -> Vec<Id> {
        self.0.records.lock().unwrap().keys().copied().collect()
    }

    /// The records expire.
    pub(crate) fn forget_all(&self) {
        self.0.records.lock().unwrap().clear();
    }

    /// Such calls fail from now on.
    pub(crate) fn fail(&self, call: Call) {
        self.0.failing.lock().unwrap().insert(call);
    }

    /// No calls fail any more.
    pub(crate) fn recover(&self) {
        self.0.failing.lock().unwrap().clear();
    }

    /// The next call of this kind stops at this moment.
    pub(crate) fn stop(&self, call: Call, moment: Moment) -> Stage {
        let stage = Stage::default();
        let mut stops = self.0.stops.lock().unwrap();
        stops.insert((call, moment), stage.clone());
        stage
    }

    async fn call<T>(
        &self,
        call: Call,
        effect: impl FnOnce(&mut HashMap<Id, Record>) -> T + Send,
    ) -> session_store::Result<T>
    where
        T: Send,
    {
        self.stops_at(call, Moment::Before).await;
        if self.0.failing.lock().unwrap().contains(&call) {
            return Err(session_store::Error::Backend("away".to_owned()));
        }
        let result = effect(&mut self.0.records.lock().unwrap());
        self.stops_at(call, Moment::After).await;
        Ok(result)
    }

    async fn stops_at(&self, call: Call, moment: Moment) {
        let stage = self.0.stops.lock().unwrap().remove(&(call, moment));
        if let Some(stage) = stage {
            stage.stop().await;
        }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.call(Call::Create, |records| {
            while records.contains_key(&record.id) {
                record.id = Id::default();
            }
            records.insert(record.id, record.clone());
        })
        .await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let save = |records: &mut HashMap<_, _>| drop(records.insert(record.id, record.clone()));
        self.call(Call::Save, save).await
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        self.call(Call::Load, |records| records.get(id).cloned())
            .await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.call(Call::Delete, |records| drop(records.remove(id)))
            .await
    }
}
