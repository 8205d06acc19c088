namespace OKLA.EndToEnd.Browser;

internal sealed class ChromiumTests
{
    [Test]
    public void A_machine_without_a_browser_is_told_so_in_one_line()
    {
        var none = Should.Throw<FileNotFoundException>(() => Chromium.Find(null, ["/no/such/browser"]));
        none.Message.ShouldContain("CHROMIUM_PATH");
        none.Message.ShouldNotContain("\n");
        Should.Throw<FileNotFoundException>(() => Chromium.Find("/no/such/browser", [])).Message.ShouldContain("/no/such/browser");
    }

    [Test]
    public void The_named_browser_goes_before_the_usual_places()
    {
        var file = Path.GetTempFileName();
        try
        {
            Chromium.Find(file, ["/usr/bin/chromium"]).ShouldBe(file);
            Chromium.Find("", ["/no/such/browser", file]).ShouldBe(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
