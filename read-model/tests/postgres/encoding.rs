//! Databases that can't hold every name.

use read_model::{Error, ReadModel};

use crate::server::{at, with_database};

#[tokio::test(flavor = "multi_thread")]
async fn f08_a_database_that_is_not_utf_8_is_refused_by_name() {
    let latin = "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    with_database(latin, |url| async move {
        let error = ReadModel::open(&at(&url)).await.err().unwrap();
        let said = error.to_string();
        assert!(matches!(error, Error::Unsuitable(_)) && !error.is_unavailable(), "{said}");
        let name = url.rsplit_once('/').unwrap().1;
        assert!(said.contains("LATIN1") && said.contains("UTF8") && said.contains(name), "{said}");
    })
    .await;
}
