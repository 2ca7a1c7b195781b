//! Pages of the audit log, the newest entry first. Entries of one stream partition have the order of their records, whatever
//! the clocks said; entries of different ones are ordered by time.

mod conditions;
mod filter;

use uuid::Uuid;

use crate::audit::{self, AuditRow, NAMED, NAMES};
use crate::counts::MOST_COUNTED;
use crate::error::Error;
use crate::page::{Count, Order, Page, Window};
use crate::reader::ReadModel;
use crate::statement::{Sql, sql};
use conditions::Branch;

pub use filter::AuditFilter;

/// Most entries that a page of a search, or a count, looks at. No index knows the words.
const LOOKED_AT: u64 = 20_000;

/// The time in this order never goes back within a stream partition. Offsets order the records of one instant there.
const ORDER: Order = Order {
    name: "audit",
    columns: &["audit.ordered_at", "audit.log_offset", "audit.id"],
    is_descending: true,
};

/// The values of these columns.
type AuditKey = (i64, i64, Uuid);

fn key(entry: &AuditRow) -> AuditKey {
    let offset = i64::try_from(entry.offset).unwrap_or(i64::MAX);
    (entry.ordered_at.micros(), offset, entry.id.uuid())
}

impl ReadModel {
    /// A page of the entries that pass the filter. A page of a search looks at 20,000 entries at most, so it may be short
    /// though more follow: its end then says where the next one goes on.
    pub async fn audit_page(&self, filter: &AuditFilter, window: &Window) -> Result<Page<AuditRow>, Error> {
        if !filter.is_searching() {
            let rows = self.entries(filter, &filter.branches(), window, None).await?;
            return Ok(ORDER.page(window, rows, key));
        }
        let branch = filter.branch();
        let end = self.end_of_search(filter, &branch, window).await?.map(|entry| key(&entry));
        let rows = self.entries(filter, &[branch], window, end.as_ref()).await?;
        let is_short = rows.len() <= window.size as usize;
        let page = ORDER.page(window, rows, key);
        Ok(match end.filter(|_| is_short) {
            Some(end) => page.given_up_at(window, ORDER.cursor(&end)),
            None => page,
        })
    }

    /// The rows of a page and one more, in reading order, no further than `end`.
    async fn entries(
        &self,
        filter: &AuditFilter,
        branches: &[Branch],
        window: &Window,
        end: Option<&AuditKey>,
    ) -> Result<Vec<AuditRow>, Error> {
        // Each branch reads at most one page from one index, the newest entry first.
        let mut union = sql("");
        for (index, branch) in branches.iter().enumerate() {
            union.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
            union.push("SELECT ").push(audit::columns()).push(" FROM audit WHERE 1 = 1");
            branch.look_up(&mut union);
            filter.check(&mut union);
            if let Some(end) = end {
                ORDER.up_to(&mut union, window, end);
            }
            ORDER.limit::<AuditKey>(&mut union, window)?;
            union.push(&format!(") AS branch{index}"));
        }
        self.database.all(named(union, |statement| ORDER.sort(statement, window))).await
    }

    /// The entry at which looking for a page of a search is given up; `None` if the log ends before.
    async fn end_of_search(
        &self,
        filter: &AuditFilter,
        branch: &Branch,
        window: &Window,
    ) -> Result<Option<AuditRow>, Error> {
        let mut statement = sql("SELECT ");
        statement.push(audit::columns()).push(" FROM audit WHERE 1 = 1");
        branch.look_up(&mut statement);
        filter.between(&mut statement);
        ORDER.limit::<AuditKey>(&mut statement, &Window { size: 0, ..window.clone() })?;
        statement.push(" OFFSET ").push_value(LOOKED_AT);
        self.database.maybe_one(named(statement, |_| {})).await
    }

    /// How many entries pass the filter. Counting stops at 10,000, and where 20,000 entries have been looked at.
    pub async fn audit_count(&self, filter: &AuditFilter) -> Result<Count, Error> {
        let branches = if filter.is_searching() { vec![filter.branch()] } else { filter.branches() };
        let (mut n, mut is_cut) = (0, false);
        for branch in branches {
            let mut looked_at = sql("SELECT * FROM audit WHERE 1 = 1");
            branch.look_up(&mut looked_at);
            filter.between(&mut looked_at);
            let mut beyond = looked_at.clone();
            beyond.push(" LIMIT 1 OFFSET ").push_value(LOOKED_AT);
            is_cut |= self.count_rows(beyond).await? > 0;
            looked_at.push(" LIMIT ").push_value(LOOKED_AT);
            let text = format!("SELECT 1 AS one FROM ({}) AS audit WHERE 1 = 1", looked_at.text);
            let mut found = Sql { text, ..looked_at };
            filter.check(&mut found);
            found.push(" LIMIT ").push_value(MOST_COUNTED + 1);
            n += self.count_rows(found).await?;
        }
        let count = Count::up_to(MOST_COUNTED, n);
        Ok(Count { capped: count.capped || is_cut, ..count })
    }
}

/// Entries with the names of their targets.
fn named(entries: Sql, sort: impl FnOnce(&mut Sql)) -> Sql {
    let text = format!("SELECT {}, {NAMED} FROM ({}) AS audit", audit::columns(), entries.text);
    let mut statement = Sql { text, ..entries };
    statement.push(NAMES);
    sort(&mut statement);
    statement
}
