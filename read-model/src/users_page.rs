//! The grid of users: any filter, any order, any page, for the cost of one page.

mod conditions;
mod filter;
mod indexed;
mod order;
mod query_plan;
mod sort;
mod two_keys;

use crate::counts::MOST_COUNTED;
use crate::error::Error;
use crate::page::{Count, Page, Window};
use crate::reader::ReadModel;
use crate::users::UserRow;
use conditions::Conditions;
use two_keys::TwoKeys;

pub use filter::UserFilter;
pub use sort::{UserOrder, UserSortField, UserSortKey};

impl ReadModel {
    /// A page of the users that pass the filter.
    pub async fn users_page(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        window: &Window,
    ) -> Result<Page<UserRow>, Error> {
        let conditions = Conditions::of(filter);
        let indexed = self.page_by_index(&conditions.filter, order, window).await?;
        let (rows, total) = indexed.unzip();
        let page = if let Some(keys) = TwoKeys::of(order) {
            let rows = match rows {
                Some(rows) => rows,
                None => self.matching_by_two(&conditions, keys, window).await?,
            };
            Page::of(window, rows, |user| keys.cursor(user))
        } else {
            let key = order.by;
            let rows = match rows {
                Some(rows) => rows,
                None => self.matching(&conditions, key, window).await?,
            };
            key.order().page(window, rows, |user| key.of(user))
        };
        Ok(Page { total, ..page })
    }

    /// How many users pass the filter. Exact from the index, and for filters of states and groups alone; else counting stops
    /// at 10,000.
    pub async fn users_count(&self, filter: &UserFilter) -> Result<Count, Error> {
        let filter = &filter.without_blanks();
        if let Some(n) = self.count_by_index(filter).await {
            return Ok(Count { n, capped: false });
        }
        if filter.is_counted() {
            let n = self.counted(&filter.listed_states(), &filter.groups).await?;
            return Ok(Count { n, capped: false });
        }
        self.count_up_to(&Conditions::of(filter), MOST_COUNTED).await
    }
}
