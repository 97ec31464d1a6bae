"""What a member's own identity provider says about a person, fetched and checked: nothing here knows who that is."""
