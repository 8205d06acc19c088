using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Serving;

/// <summary>A question that is asked of a model by HTTP.</summary>
/// <param name="Model">Who answers.</param>
/// <param name="Name">What is asked.</param>
/// <param name="Request">The n-th request; each about somebody or something else, as far as there are so many.</param>
internal sealed record ModelQuestion(string Model, string Name, Func<int, HttpRequestMessage> Request);

/// <summary>Every question that models answer by HTTP, about people, vehicles, leads, sellers and campaigns of the log.</summary>
internal sealed class ModelQuestions
{
    private const int Subjects = 20_000;
    private readonly string[] leads;
    private readonly string[] looks;
    private readonly string[] sellers;
    private readonly string[] campaigns;
    private readonly ItemSnapshot[] vehicles;

    private ModelQuestions(string[] people, ItemSnapshot[] vehicles, string[] sellers, string[] leads, string[] looks, string[] campaigns)
    {
        (People, this.vehicles, this.sellers, this.leads, this.looks, this.campaigns) = (people, vehicles, sellers, leads, looks, campaigns);
        Vehicles = [.. vehicles.Select(vehicle => vehicle.Item.Id)];
    }

    /// <summary>People of the last weeks, in an order of chance.</summary>
    public string[] People { get; }

    /// <summary>Vehicles on offer, in an order of chance.</summary>
    public string[] Vehicles { get; }

    /// <summary>Reads whom and what there is to ask about.</summary>
    public static async Task<ModelQuestions> ReadAsync(HttpClient admin, IMessageBus bus, IReadOnlyList<string> campaigns, int seed)
    {
        var (now, random) = (TimeProvider.System.GetUtcNow(), new Random(seed));
        var active = await bus.InvokeAsync<IReadOnlyList<ActivePerson>>(new GetActivePeople(now.AddDays(-60), now, Subjects, 20));
        var vehicles = (await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now))).Where(item => item is { Status: "live", Item.Price: not null }).ToArray();
        var sellers = vehicles.Select(vehicle => vehicle.Item.SellerId).OfType<string>().Distinct().ToArray();
        var people = active.Select(person => person.PersonId).ToArray();
        var onOffer = vehicles.Select(vehicle => vehicle.Item.Id).ToHashSet();
        var looks = active.SelectMany(person => person.History.Where(item => onOffer.Contains(item.ItemId)).Select(item => $"{person.PersonId}|{item.ItemId}")).ToArray();
        random.Shuffle(people);
        random.Shuffle(vehicles);
        random.Shuffle(sellers);
        random.Shuffle(looks);
        var leads = new List<string>();
        foreach (var seller in sellers.Take(300))
        {
            using var answer = await admin.GetAsync($"/api/dealers/{seller}/leads?days=60&limit=100");
            if (answer.IsSuccessStatusCode)
            {
                leads.AddRange((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("leads").EnumerateArray().Select(lead => lead.GetProperty("id").GetString()!));
            }
        }

        return new ModelQuestions(people, vehicles, sellers, [.. leads], looks, [.. campaigns]);
    }

    /// <summary>The questions.</summary>
    public async Task<IReadOnlyList<ModelQuestion>> AllAsync(HttpClient admin)
    {
        ModelQuestion Get(string model, string name, string[] subjects, Func<string, string> path) => new(model, name, n => new HttpRequestMessage(HttpMethod.Get, path(Uri.EscapeDataString(Of(subjects, n)))));
        ModelQuestion Post(string model, string name, string path, Func<int, object> body) => new(model, name, n => Posted(path, body(n)));
        async Task<ModelQuestion> RowsAsync(string model, string name, string[] entities)
        {
            var signature = await admin.GetAsync($"/api/ml/models/{model}/signature");
            var inputs = signature.IsSuccessStatusCode ? (await signature.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("inputs").EnumerateArray().Select(input => input.Clone()).ToArray() : [];
            return entities.Length > 0
                ? Post(model, name, $"/api/ml/models/{model}/predict", n => new { rows = new[] { new { } }, entityIds = new[] { Of(entities, n) } })
                : Post(model, name, $"/api/ml/models/{model}/predict", n => new { rows = new[] { Row(inputs, n) } });
        }

        string[] queries = [.. vehicles.Select(Query)];
        return
        [
            Get(ModelNames.VehicleRecommender, "vehicles for a person", People, id => $"/api/recommendations/users/{id}?limit=10"),
            Get(ModelNames.ActivityRecommender, "activities for a person", People, id => $"/api/recommendations/users/{id}?limit=10&kind=activity"),
            Get(ModelNames.SimilarVehicles, "vehicles like one", Vehicles, id => $"/api/recommendations/items/{id}/similar?limit=10"),
            Get(ModelNames.BuyerRecommender, "buyers for a vehicle", Vehicles, id => $"/api/recommendations/items/{id}/buyers?limit=20"),
            Get(ModelNames.LeadScorer, "score of a lead, with reasons", leads, id => $"/api/leads/{id}/score"),
            Get(ModelNames.LeadScorer, "leads of a seller", sellers, id => $"/api/dealers/{id}/leads?days=60&limit=20"),
            await RowsAsync(ModelNames.BuyerChurn, "whether a buyer leaves", People),
            await RowsAsync(ModelNames.DealerChurn, "whether a seller leaves", sellers),
            await RowsAsync(ModelNames.ConversionPredictor, "whether a look becomes a contact", looks),
            Get(ModelNames.PricePredictor, "price of a vehicle", Vehicles, id => $"/api/vehicles/{id}/price-estimate"),
            Get(ModelNames.PricePredictor, "price of a vehicle, with reasons", Vehicles, id => $"/api/vehicles/{id}/price-estimate?explain=true"),
            Get(ModelNames.DaysToSalePredictor, "days to sale", Vehicles, id => $"/api/vehicles/{id}/days-to-sale"),
            Post2(ModelNames.DaysToSalePredictor, "days to sale at another price", n => $"/api/vehicles/{Uri.EscapeDataString(Of(Vehicles, n))}/days-to-sale", n => new { price = new { amount = 5_000 + (10 * n), currency = "USD" } }),
            Get(ModelNames.UserSegmenter, "profile and kind of a buyer", People, id => $"/api/users/{id}/profile"),
            Get(ModelNames.UserSegmenter, "kinds of buyers", People, _ => "/api/ml/clusters"),
            await RowsAsync(ModelNames.VehicleClassifier, "body of a vehicle by its text", []),
            await RowsAsync(ModelNames.VehicleCondition, "condition by its text", []),
            await RowsAsync(ModelNames.VehicleSegment, "third of the market by its text", []),
            await RowsAsync(ModelNames.FraudDetector, "whether a listing is a swindle", []),
            await RowsAsync(ModelNames.LeadFraudDetector, "whether a contact is one of many", []),
            Post(ModelNames.DescriptionAnalyzer, "what an ad says and lacks", "/api/listings/analyze", n => Ad(Of(vehicles, n))),
            Post(ModelNames.SentimentAnalyzer, "praise or blame", "/api/texts/sentiment", n => new { text = $"El vendedor {n} fue muy amable, pero el precio de {Of(vehicles, n).Item.Title} está demasiado alto y no quiso bajar nada." }),
            Post(ModelNames.SearchIntentClassifier, "what a search wants", "/api/search/intent", n => new { query = Of(queries, n) }),
            Get(ModelNames.DemandForecaster, "demand of the next week", People, _ => "/api/ml/forecasts/demand?days=7"),
            Get(ModelNames.AnomalyDetector, "what was not as usual", People, _ => "/api/ml/anomalies?days=7"),
            Get(ModelNames.CpaPredictor, "cost of an application in the next hour", campaigns, id => $"/api/campaigns/{id}/cpa-forecast"),
            new ModelQuestion(ModelNames.ResponseCurves, "curves of channels and the best split", n => new HttpRequestMessage(HttpMethod.Get, $"/api/campaigns/response-curves?budgetUsd={500 + (n % 100)}")),
        ];

        ModelQuestion Post2(string model, string name, Func<int, string> path, Func<int, object> body) => new(model, name, n => Posted(path(n), body(n)));
    }

    private static HttpRequestMessage Posted(string path, object body) =>
        new(HttpMethod.Post, path) { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };

    private static T Of<T>(T[] subjects, int n) => subjects.Length > 0 ? subjects[n % subjects.Length] : throw new InvalidOperationException("The log holds nothing to ask about.");

    private static string Query(ItemSnapshot vehicle) =>
        string.Create(CultureInfo.InvariantCulture, $"{vehicle.Item.Text("bodyType")} {vehicle.Item.Text("make")} {vehicle.Item.Number("year")} de menos de {1 + (vehicle.Position % 20 / 10.0):0.0} millones en {vehicle.Item.Place}");

    private static object Ad(ItemSnapshot vehicle) => new
    {
        title = vehicle.Item.Title, description = vehicle.Item.Description, price = vehicle.Item.Price, place = vehicle.Item.Place, pictures = vehicle.Item.Images.Count,
        attributes = new Dictionary<string, object?> { ["make"] = vehicle.Item.Text("make"), ["model"] = vehicle.Item.Text("model"), ["year"] = vehicle.Item.Number("year"), ["fuel"] = vehicle.Item.Text("fuel") },
    };

    /// <summary>A row as a model takes it: texts of a vehicle, numbers drawn from what it has seen.</summary>
    private Dictionary<string, object?> Row(JsonElement[] inputs, int n)
    {
        var (random, vehicle) = (new Random(n), Of(vehicles, n));
        return inputs.ToDictionary(input => input.GetProperty("name").GetString()!, input => input.GetProperty("name").GetString() switch
        {
            "title" => vehicle.Item.Title,
            "description" => vehicle.Item.Description,
            "year" => vehicle.Item.Number("year"),
            "price_usd" => (object?)(vehicle.Item.Price is { Currency: "USD" } price ? (double)price.Amount : 10_000 + n),
            "mileage_km" => vehicle.Item.Number("mileageKm"),
            _ => input.TryGetProperty("min", out var min) && min.ValueKind == JsonValueKind.Number && input.GetProperty("max") is { ValueKind: JsonValueKind.Number } max
                ? min.GetDouble() + (random.NextDouble() * (max.GetDouble() - min.GetDouble()))
                : input.TryGetProperty("categories", out var known) && known.ValueKind == JsonValueKind.Array && known.GetArrayLength() > 0 ? known[random.Next(known.GetArrayLength())].GetString()
                : input.TryGetProperty("example", out var example) ? example.GetString() : null,
        });
    }
}
