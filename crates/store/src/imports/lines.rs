//! Lines of the old records: each is taken over once, whatever became of it here since.

use domain::{ChatId, Timestamp};

use super::{ImportedFailover, ImportedRequest, KEEP_REQUEST, STORED_LINE, digest, is_new};
use crate::database::{Connection, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, failovers};

/// What distinguishes a failed request from all others. How often it was tried again does not: it is the same request.
pub(super) fn of_request(request: &ImportedRequest) -> [u8; 16] {
    digest(&[
        "failed_requests",
        &request.number.to_string(),
        &request.at.as_micros().to_string(),
        request.service.as_str(),
        request.direction.as_str(),
        &request.endpoint,
        &request.payload,
    ])
}

/// What distinguishes a failover from all others.
pub(super) fn of_failover(line: &ImportedFailover) -> [u8; 16] {
    let failover = &line.failover;
    digest(&[
        "failover_log",
        &failover.at.as_micros().to_string(),
        &failover.chat_id.map(ChatId::get).unwrap_or_default().to_string(),
        failover.from.as_str(),
        failover.to.as_str(),
        &failover.reason,
    ])
}

/// How many of these lines were not taken over before.
pub(super) fn count_new(connection: &Connection, mut digests: Vec<[u8; 16]>) -> Result<usize, StoreError> {
    digests.sort_unstable();
    digests.dedup();
    let mut new = 0;
    for digest in &digests {
        let known = connection.first(STORED_LINE, [digest], |_| Ok(()))?;
        new += usize::from(known.is_none());
    }
    Ok(new)
}

pub(super) struct SaveRequests {
    pub(super) requests: Vec<ImportedRequest>,
    pub(super) at: Timestamp,
}

impl Write for SaveRequests {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::IMPORT_REQUESTS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let mut new = 0;
        for request in &self.requests {
            if !is_new(transaction, of_request(request), self.at)? {
                continue;
            }
            new += 1;
            transaction.run(
                KEEP_REQUEST,
                params![
                    request.id.as_uuid().as_bytes(),
                    request.at.as_micros(),
                    request.service.as_str(),
                    request.direction.as_str(),
                    request.endpoint,
                    request.payload,
                    request.error,
                    request.retry_count,
                    request.last_retry_at.map(Timestamp::as_micros),
                    request.last_retry_error,
                ],
            )?;
        }
        Ok(new)
    }
}

pub(super) struct SaveFailovers {
    pub(super) failovers: Vec<ImportedFailover>,
    pub(super) at: Timestamp,
}

impl Write for SaveFailovers {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::IMPORT_FAILOVERS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let mut new = 0;
        for line in &self.failovers {
            if is_new(transaction, of_failover(line), self.at)? {
                new += 1;
                failovers::save(transaction, &line.failover, &line.subject)?;
            }
        }
        Ok(new)
    }
}
