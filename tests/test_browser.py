"""The browser finds what is wrong with a site, and nothing wrong with a good one."""

from tests import browser


def test_a_site_with_faults_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "WAIT", 1_000)
    (tmp_path / "good.html").write_text("<p id='here'>good</p>")
    (tmp_path / "bad.html").write_text(
        "<script src='https://example.invalid/x.js'></script><script>undefined.x</script>"
        "<img src='missing.png'><a href='nowhere.html'>a</a>"
        "<a href='good.html#there'>b</a><a href='good.html#here'>c</a>"
        "<div class='cs-chart'></div><div style='width:2000px'>wide</div>"
    )
    found = "\n".join(browser.check(tmp_path))
    for fault in (
        "external request: https://example.invalid",
        "exception",
        "failed request",
        "broken image",
        "link to nothing",
        "no such place",
        "not drawn in light",
        "wider than a phone",
    ):
        assert fault in found
    assert "good.html:" not in found
