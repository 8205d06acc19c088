using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace OKLA.EndToEnd.Browser;

/// <summary>WCAG 2.2 A and AA by axe-core, contrast included, in every state and both themes.</summary>
internal sealed class AccessibilityTests : BrowserTest
{
    private static readonly string[] States = ["full", "interval", "empty", "fault", "loading", "vehicle", "unknown page"];

    [Test]
    public async Task No_state_of_a_page_breaks_a_rule(
        [ValueSource(nameof(States))] string state, [Values(ColorScheme.Light, ColorScheme.Dark)] ColorScheme scheme, [Values(390, 1280)] int width)
    {
        await OpenAsync(width, scheme);
        await AnswerAsync(Answers.PriceEstimate, Answers.Estimate);
        await ShowAsync(state);
        (await BrokenRulesAsync()).ShouldBeEmpty();
        Complaints.ShouldBeEmpty();
    }

    private async Task ShowAsync(string state)
    {
        switch (state)
        {
            case "loading":
                await Page.RouteAsync(Answers.Recommendations, _ => Task.CompletedTask);
                await Page.GotoAsync("/");
                await Expect(Page.Locator(".bone").First).ToBeVisibleAsync();
                break;
            case "empty":
                await AnswerAsync(Answers.Recommendations, Answers.NoVehicles);
                await Page.GotoAsync("/");
                await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Todavía no hay vehículos" })).ToBeVisibleAsync();
                break;
            case "fault":
                await AnswerAsync(Answers.Recommendations, Answers.Busy, 503);
                await Page.GotoAsync("/");
                await Expect(Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
                break;
            case "vehicle":
                await Page.GotoAsync("/vehiculos/e2e-1");
                await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Toyota Hilux SR" })).ToBeVisibleAsync();
                await Expect(Page.GetByText("De US$18,000")).ToBeVisibleAsync();
                break;
            case "unknown page":
                await Page.GotoAsync("/nada");
                await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Esta página no existe" })).ToBeVisibleAsync();
                break;
            default:
                await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
                await Page.GotoAsync("/");
                await Expect(Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
                if (state == "full") break;
                await Page.GetByRole(AriaRole.Button, new() { Name = "Buen precio: ver por qué" }).ClickAsync();
                await Expect(Page.GetByText("De US$18,000")).ToBeVisibleAsync();
                break;
        }
    }

    private async Task<IReadOnlyList<string>> BrokenRulesAsync()
    {
        await Page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(Checkout.Web, "node_modules", "axe-core", "axe.min.js")));
        var found = await Page.EvaluateAsync<JsonElement>("""
            async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
              .violations.map(rule => rule.id + ': ' + rule.nodes.map(node => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | '))
            """);
        return [.. found.EnumerateArray().Select(rule => rule.GetString()!)];
    }
}
