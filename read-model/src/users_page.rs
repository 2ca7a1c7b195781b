//! The grid of users: any filter, any order, any page, for the cost of one page.

mod conditions;
mod filter;
mod order;
mod query_plan;
mod sort;
mod two_keys;

use domain::user::UserStatus;

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
        if let Some(keys) = TwoKeys::of(order) {
            let rows = self.matching_by_two(&conditions, keys, window).await?;
            return Ok(Page::of(window, rows, |user| keys.cursor(user)));
        }
        let key = order.by;
        key.check_cursors(window)?;
        let rows = self.matching(&conditions, key, window).await?;
        Ok(key.order().page(window, rows, |user| key.of(user)))
    }

    /// How many users pass the filter. Exact for filters of states and groups alone; else counting stops at 10,000.
    pub async fn users_count(&self, filter: &UserFilter) -> Result<Count, Error> {
        let filter = &filter.without_blanks();
        if filter.is_counted() {
            let shown =
                [UserStatus::Pending, UserStatus::Active, UserStatus::Suspended, UserStatus::Rejected];
            let states = if filter.states.is_empty() { &shown } else { &filter.states[..] };
            return Ok(Count { n: self.counted(states, &filter.groups).await?, capped: false });
        }
        self.count_up_to(&Conditions::of(filter), MOST_COUNTED).await
    }
}
