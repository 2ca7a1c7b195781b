//! The enum holds every code of the reference, and nothing else.

use async_graphql::resolver_utils::EnumType;

use super::*;

#[test]
fn every_code_is_a_value_of_the_enum_and_its_name_is_the_code_in_capitals() {
    let reference = include_str!("../../../schemas/codes.json");
    let reference: serde_json::Value = serde_json::from_str(reference).unwrap();
    let codes = reference["refusals"].as_array().unwrap().iter().filter_map(serde_json::Value::as_str);
    let codes: Vec<String> = codes.map(str::to_uppercase).collect();
    let values: Vec<&str> = UserErrorKind::items().iter().map(|item| item.name).collect();
    assert_eq!(values, codes);
    for code in Code::ALL {
        let kind = UserErrorKind::from(*code);
        let item = UserErrorKind::items().iter().find(|item| item.value == kind).unwrap();
        assert_eq!(item.name.to_lowercase(), code.as_str());
    }
}
