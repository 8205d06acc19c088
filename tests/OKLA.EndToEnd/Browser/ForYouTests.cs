using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace OKLA.EndToEnd.Browser;

/// <summary>The page "Vehículos para ti", its answers given by the tests.</summary>
internal sealed class ForYouTests : BrowserTest
{
    [Test]
    public async Task A_card_tells_the_vehicle_its_price_in_both_currencies_the_reason_and_the_verdict()
    {
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await AnswerAsync(Answers.Demo, new { }, 404);
        await Page.GotoAsync("/");

        await Expect(Page.GetByRole(AriaRole.Main)).ToMatchAriaSnapshotAsync("""
            - main:
              - heading "Vehículos para ti" [level=1]
              - paragraph: Escogidos por lo que has estado mirando.
              - paragraph:
                - text: /Modelo v3/
                - button "Actualizar"
              - status: Recomendaciones actualizadas.
              - list "Vehículos recomendados":
                - listitem:
                  - article:
                    - img "Dibujo de jeepeta; el anuncio no tiene foto"
                    - paragraph: Porque viste Kia Sportage
                    - heading "Hyundai Tucson GL" [level=2]:
                      - link "Hyundai Tucson GL":
                        - /url: /vehiculos/v-1
                    - paragraph: 2021 · Gasolina Santiago
                    - paragraph: US$17,900 ≈ RD$1,060,000
                    - 'button "Buen precio: ver por qué"'
                    - 'button "Me gusta: Hyundai Tucson GL"'
                    - button "Contactar al vendedor de Hyundai Tucson GL"
                - listitem:
                  - article:
                    - img "Dibujo de camioneta; el anuncio no tiene foto"
                    - heading "Toyota Hilux SR" [level=2]
                    - paragraph: RD$2,450,000 ≈ US$41,500
                    - 'button "Alto: ver por qué"'
            """);
        await Expect(Page).ToHaveTitleAsync("Vehículos para ti · OKLA");
        Complaints.ShouldBeEmpty();
        Elsewhere.ShouldBeEmpty();
    }

    [Test]
    public async Task The_badge_opens_the_interval_and_escape_closes_it()
    {
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await AnswerAsync(Answers.PriceEstimate, Answers.Estimate);
        await Page.GotoAsync("/");
        var badge = Page.GetByRole(AriaRole.Button, new() { Name = "Buen precio: ver por qué" });

        await badge.ClickAsync();
        var panel = Page.GetByRole(AriaRole.Region, new() { Name = "Precio estimado: Hyundai Tucson GL" });
        await Expect(panel).ToContainTextAsync("De US$18,000 a US$22,300");
        await Expect(panel).ToContainTextAsync("Pide US$2,100 menos de lo estimado.");
        await Expect(panel).ToContainTextAsync("8 de cada 10 vehículos parecidos");
        await Expect(panel.GetByRole(AriaRole.Img)).ToHaveAccessibleNameAsync("Rango de US$18,000 a US$22,300, estimado US$20,000, este anuncio pide US$17,900.");
        await Expect(panel.GetByRole(AriaRole.Button, new() { Name = "Cerrar" })).ToBeFocusedAsync();

        await Page.Keyboard.PressAsync("Escape");
        await Expect(panel).ToBeHiddenAsync();
        await Expect(badge).ToBeFocusedAsync();
    }

    [Test]
    public async Task While_vehicles_are_on_their_way_the_page_says_so()
    {
        await Page.RouteAsync(Answers.Recommendations, _ => Task.CompletedTask);
        await Page.GotoAsync("/");
        await Expect(Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Buscando vehículos para ti…" })).ToHaveCountAsync(1);
        await Expect(Page.Locator(".bone").First).ToBeVisibleAsync();
    }

    [Test]
    public async Task An_empty_catalogue_says_what_to_do_and_looks_again()
    {
        await AnswerAsync(Answers.Recommendations, Answers.NoVehicles);
        await Page.GotoAsync("/");
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Todavía no hay vehículos" })).ToBeVisibleAsync();
        await Expect(Page.GetByText("./build/run.sh simulate")).ToBeVisibleAsync();

        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Ver si ya hay vehículos" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
    }

    [Test]
    public async Task A_fault_is_told_in_the_servers_words_and_can_be_tried_again()
    {
        await AnswerAsync(Answers.Recommendations, Answers.Busy, 503);
        await Page.GotoAsync("/");
        var alert = Page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("La base de datos no responde");
        await Expect(alert).ToContainTextAsync("Vuelve a intentarlo en unos segundos.");

        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await alert.GetByRole(AriaRole.Button, new() { Name = "Intentar de nuevo" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
    }

    [Test]
    public async Task Liking_and_contacting_are_told_to_the_host_once_and_remembered()
    {
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await Page.GotoAsync("/");
        var like = Page.GetByRole(AriaRole.Button, new() { Name = "Me gusta: Toyota Hilux SR" });
        var contact = Page.GetByRole(AriaRole.Button, new() { Name = "Contactar al vendedor de Toyota Hilux SR" });

        var receipts = Receipts("favorite_added", "contacted");
        await like.ClickAsync();
        await contact.ClickAsync();
        (await receipts).ShouldAllBe(outcome => outcome == "accepted");

        await Page.ReloadAsync();
        await Expect(like).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(Page.GetByRole(AriaRole.Button, new() { Name = "Contactado: el vendedor de Toyota Hilux SR" })).ToBeDisabledAsync();
    }

    [Test]
    public async Task Everything_can_be_reached_and_used_with_the_keyboard()
    {
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await AnswerAsync(Answers.Demo, new[] { "buyer", "dealer", "admin" });
        await Page.GotoAsync("/");
        await Expect(Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
        await Expect(Page.GetByRole(AriaRole.Button, new() { Name = "Entrar" })).ToBeVisibleAsync();

        string[] order =
        [
            "Saltar al contenido", "OKLA: Vehículos para ti", "API", "Cambiar a modo oscuro", "Entrar", "Actualizar",
            "Hyundai Tucson GL", "Buen precio: ver por qué", "Me gusta: Hyundai Tucson GL", "Contactar al vendedor de Hyundai Tucson GL", "Toyota Hilux SR",
        ];
        foreach (var name in order)
        {
            await Page.Keyboard.PressAsync("Tab");
            await Expect(Page.Locator(":focus")).ToHaveAccessibleNameAsync(name);
            var ring = await Page.EvaluateAsync<string>("() => { const e = document.activeElement; return getComputedStyle(e).outlineStyle + getComputedStyle(e, '::after').outlineStyle; }");
            ring.ShouldContain("solid", customMessage: $"{name} shows no focus ring");
        }
    }

    [Test]
    public async Task The_theme_follows_the_system_until_the_visitor_chooses()
    {
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await Page.GotoAsync("/");
        var light = await BackgroundAsync();
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        var dark = await BackgroundAsync();
        dark.ShouldNotBe(light);

        await Page.GetByRole(AriaRole.Button, new() { Name = "Cambiar a modo claro" }).ClickAsync();
        (await BackgroundAsync()).ShouldBe(light);
        await Page.ReloadAsync();
        (await BackgroundAsync()).ShouldBe(light);
    }

    [Test]
    public async Task The_demo_menu_exists_only_where_the_host_has_demo_accounts()
    {
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await AnswerAsync(Answers.Demo, new { }, 404);
        await Page.GotoAsync("/");
        await Expect(Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
        await Expect(Page.GetByRole(AriaRole.Button, new() { Name = "Entrar" })).ToHaveCountAsync(0);
    }

    [TestCase(390)]
    [TestCase(640)]
    [TestCase(1024)]
    [TestCase(1440)]
    public async Task Nothing_sticks_out_at_any_width(int width)
    {
        await OpenAsync(width, ColorScheme.Light);
        await AnswerAsync(Answers.Recommendations, Answers.TwoVehicles);
        await Page.GotoAsync("/");
        await Expect(Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
        (await Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth")).ShouldBeLessThanOrEqualTo(0);
    }

    private Task<string> BackgroundAsync() => Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");

    // What became of the next events of these types, by the host's own answer.
    private async Task<IReadOnlyList<string>> Receipts(params string[] types)
    {
        var wanted = types.ToHashSet();
        var outcomes = new List<string>();
        while (wanted.Count > 0)
        {
            var answer = await Page.WaitForResponseAsync(response => new Uri(response.Url).AbsolutePath == "/api/events");
            using var sent = JsonDocument.Parse(answer.Request.PostData!);
            using var receipt = JsonDocument.Parse(await answer.TextAsync());
            foreach (var (item, outcome) in sent.RootElement.EnumerateArray().Zip(receipt.RootElement.GetProperty("outcomes").EnumerateArray()))
                if (wanted.Remove(item.GetProperty("type").GetString()!)) outcomes.Add(outcome.GetProperty("status").GetString()!);
        }

        return outcomes;
    }
}
