"""The databases that the fixtures hand out are real, empty and speak Chinese."""

from sqlalchemy import create_engine, inspect, text


def test_each_test_gets_an_empty_database(db_url):
    db = create_engine(db_url)
    assert inspect(db).get_table_names() == []
    with db.begin() as session:
        session.execute(text("CREATE TABLE unit (name text)"))
        session.execute(text("INSERT INTO unit VALUES ('市人社局')"))
        assert session.execute(text("SELECT name FROM unit")).scalar_one() == "市人社局"
    db.dispose()


def test_nothing_of_an_earlier_test_is_left(db_url):
    db = create_engine(db_url)
    assert inspect(db).get_table_names() == []
    db.dispose()
