using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OKLA.Tests.Host;

/// <summary>Validation lives in each module's assembly and fails silently when it is not set up there: so every endpoint is asked.</summary>
public sealed class ValidationTests : HostTest
{
    [Test]
    public async Task Every_endpoint_with_a_JSON_body_answers_an_empty_one_with_400_that_names_a_field()
    {
        using var admin = await SignInAsync("admin");
        var document = await Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        var asked = new List<string>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject().Where(operation => TakesJson(operation.Value)))
            {
                using var request = new HttpRequestMessage(HttpMethod.Parse(operation.Name), path.Name.Replace("{id}", "x").Replace("{name}", "x").Replace("{kind}", "x"));
                request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
                using var answer = await admin.SendAsync(request);
                if (answer.StatusCode == HttpStatusCode.NotFound)
                {
                    // Nothing in this body is required, and there is no x.
                    continue;
                }

                var text = $"{operation.Name} {path.Name}: {await answer.Content.ReadAsStringAsync()}";
                answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, text);
                JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("errors").EnumerateObject().ShouldNotBeEmpty(text);
                asked.Add($"{operation.Name} {path.Name}");
            }
        }

        asked.Count.ShouldBeGreaterThanOrEqualTo(3);
    }

    private static bool TakesJson(JsonElement operation) =>
        operation.TryGetProperty("requestBody", out var body) && body.GetProperty("content").TryGetProperty("application/json", out _);
}
