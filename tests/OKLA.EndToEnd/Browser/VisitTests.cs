using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace OKLA.EndToEnd.Browser;

/// <summary>A visitor and the real host, nothing answered in its stead.</summary>
internal sealed class VisitTests : BrowserTest
{
    [Test]
    public async Task A_new_visitor_sees_vehicles_of_the_catalogue()
    {
        await Page.GotoAsync("/");
        await Expect(Page.GetByRole(AriaRole.Article).First).ToBeVisibleAsync();
        var titles = await Page.GetByRole(AriaRole.Article).GetByRole(AriaRole.Heading).AllInnerTextsAsync();
        titles.ShouldNotBeEmpty();
        titles.ShouldBeSubsetOf(BrowserSession.Catalogue.Values);
        Complaints.ShouldBeEmpty();
        Elsewhere.ShouldBeEmpty();
    }

    [Test]
    public async Task Looking_at_a_vehicle_is_recorded_with_the_seconds_it_was_in_sight()
    {
        await Page.Clock.InstallAsync();
        await Page.GotoAsync("/vehiculos/e2e-2");
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Honda Civic EX" })).ToBeVisibleAsync();
        await Page.Clock.RunForAsync(7_000);
        await Page.GetByRole(AriaRole.Link, new() { Name = "Volver a los vehículos" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Vehículos para ti" })).ToBeVisibleAsync();

        var answer = await Page.RunAndWaitForResponseAsync(
            () => Page.Clock.RunForAsync(2_000),
            response => new Uri(response.Url).AbsolutePath == "/api/events" && response.Request.PostData!.Contains("item_viewed", StringComparison.Ordinal));
        answer.Status.ShouldBe(202);
        using var sent = JsonDocument.Parse(answer.Request.PostData!);
        var view = sent.RootElement.EnumerateArray().Single(e => e.GetProperty("type").GetString() == "item_viewed");
        view.GetProperty("itemId").GetString().ShouldBe("e2e-2");
        view.GetProperty("properties").GetProperty("visibleSeconds").GetDouble().ShouldBeInRange(7, 12);
        view.GetProperty("anonymousId").GetString().ShouldBe(await Page.EvaluateAsync<string>("() => localStorage.getItem('okla.visitor')"));
        using var receipt = JsonDocument.Parse(await answer.TextAsync());
        receipt.RootElement.GetProperty("rejected").GetInt32().ShouldBe(0);
    }

    [Test]
    public async Task After_two_views_the_recommendations_are_asked_for_again()
    {
        await Page.Clock.InstallAsync();
        foreach (var id in (string[])["e2e-1", "e2e-3"])
        {
            await Page.GotoAsync($"/vehiculos/{id}");
            await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = BrowserSession.Catalogue[id] })).ToBeVisibleAsync();
            await Page.Clock.RunForAsync(3_000);
        }

        var first = await Page.RunAndWaitForResponseAsync(
            () => Page.GetByRole(AriaRole.Link, new() { Name = "Volver a los vehículos" }).ClickAsync(), AsksForRecommendations);
        await first.FinishedAsync();
        await Page.RunAndWaitForResponseAsync(() => Page.Clock.RunForAsync(1_000), response => new Uri(response.Url).AbsolutePath == "/api/events");
        await Page.RunAndWaitForResponseAsync(() => Page.Clock.RunForAsync(2_000), AsksForRecommendations);
    }

    [Test]
    public async Task A_vehicle_that_is_not_there_is_told_as_such()
    {
        await Page.GotoAsync("/vehiculos/no-such-vehicle");
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Ese vehículo no está" })).ToBeVisibleAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "Ir a Vehículos para ti" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Vehículos para ti" })).ToBeVisibleAsync();
    }

    [Test]
    public async Task A_demo_buyer_signs_in_and_out()
    {
        await Page.GotoAsync("/");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Entrar" }).ClickAsync();
        var asked = Page.WaitForRequestAsync(request => request.Url.Contains("/api/recommendations/users/demo-buyer", StringComparison.Ordinal));
        await Page.GetByRole(AriaRole.Button, new() { Name = "Comprador" }).ClickAsync();
        (await (await asked).HeaderValueAsync("authorization")).ShouldStartWith("Bearer ");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Comprador" }).First.ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Salir de la cuenta" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Button, new() { Name = "Entrar" })).ToBeVisibleAsync();
    }

    private static bool AsksForRecommendations(IResponse response) => response.Url.Contains("/api/recommendations/users/", StringComparison.Ordinal);
}
