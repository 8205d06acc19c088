using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace OKLA.EndToEnd.Browser;

/// <summary>The API's document and the page that shows it.</summary>
internal sealed class ApiReferenceTests : BrowserTest
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [TestCase(ColorScheme.Light)]
    [TestCase(ColorScheme.Dark)]
    public async Task The_reference_lists_the_endpoints_and_loads_nothing_from_elsewhere(ColorScheme scheme)
    {
        await OpenAsync(1280, scheme);
        await Page.GotoAsync("/docs");
        await Expect(Page.GetByText("/api/events", new() { Exact = true })).ToBeVisibleAsync();
        await Page.GetByText("/api/events", new() { Exact = true }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Button, new() { Name = "Try it out" })).ToBeVisibleAsync();
        Complaints.ShouldBeEmpty();
        Elsewhere.ShouldBeEmpty();
    }

    /// <summary>The pages' types are made from the snapshot, so a change of the API shows in the front end's build.</summary>
    [Test]
    public async Task The_snapshot_of_the_document_is_what_the_host_serves()
    {
        var snapshot = Path.Combine(Checkout.Web, "openapi.json");
        var received = Path.Combine(Checkout.Web, "openapi.received.json");
        var served = JsonNode.Parse(await BrowserSession.Host.Client.GetStringAsync("/openapi/v1.json"))!;
        // The only part that differs from one machine to the next: where this host listens.
        served.AsObject().Remove("servers");
        var text = served.ToJsonString(Indented).ReplaceLineEndings("\n") + "\n";
        if (text == (await File.ReadAllTextAsync(snapshot)).ReplaceLineEndings("\n"))
        {
            File.Delete(received);
            return;
        }

        await File.WriteAllTextAsync(received, text);
        Assert.Fail("The served document differs from OKLA.Host/web/openapi.json. Compare it with openapi.received.json beside it; if the change is meant, move that over it and run 'npm run build' there.");
    }
}
