using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace OKLA.Tests.Modules.ML.Serving.Clusters;

/// <summary>What is told of learned kinds and of those who are of one.</summary>
public sealed class ClustersTests : ClusterTest
{
    [Test]
    public async Task Each_kind_has_its_members_page_by_page_and_its_size_of_the_day()
    {
        var answer = await GetAsync("/api/ml/clusters");

        var clusters = answer.GetProperty("clusters").EnumerateArray().ToList();
        answer.GetProperty("countedAt").GetDateTimeOffset().ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(5));
        foreach (var (kind, _, _, _, people) in Kinds)
        {
            var cluster = clusters[NumberOf(kind)];
            cluster.GetProperty("members").GetInt64().ShouldBe(people, kind);
            cluster.GetProperty("history").EnumerateArray().ShouldHaveSingleItem().GetProperty("joined").GetInt64().ShouldBe(people, kind);
        }

        var first = await GetAsync($"/api/ml/clusters/{NumberOf("family")}/members?limit=4");
        var second = await GetAsync($"/api/ml/clusters/{NumberOf("family")}/members?limit=4&cursor={first.GetProperty("next").GetString()}");
        first.GetProperty("items").EnumerateArray().Concat(second.GetProperty("items").EnumerateArray()).Select(person => person.GetString())
            .ShouldBe(Enumerable.Range(0, 6).Select(n => $"family-lover-{n}"));
        second.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Test]
    public async Task A_profile_tells_the_learned_kind_beside_the_segment_of_the_rules()
    {
        var profile = await GetAsync("/api/users/motor-lover-1/profile");

        profile.GetProperty("segment").GetString().ShouldBe("browsing");
        var cluster = profile.GetProperty("cluster");
        cluster.GetProperty("number").GetInt32().ShouldBe(NumberOf("motor"));
        cluster.GetProperty("name").GetString()!.ShouldStartWith("Motores");
        cluster.GetProperty("fit").GetDouble().ShouldBeGreaterThan(0.5);
        (await GetAsync("/api/users/hardly-known/profile")).GetProperty("cluster").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Test]
    public async Task Who_is_alike_stands_near_in_the_learned_space()
    {
        var ofPerson = (await GetAsync("/api/ml/clusters/look-alikes?userId=first-lover-0&limit=5")).GetProperty("people").EnumerateArray().ToList();

        ofPerson.Take(3).Select(person => person.GetProperty("userId").GetString()).ShouldBe(["first-lover-1", "first-lover-2", "first-lover-3"], ignoreOrder: true);
        ofPerson.Select(person => person.GetProperty("distance").GetDouble()).ShouldBeInOrder(SortDirection.Ascending);
        ofPerson[3].GetProperty("cluster").GetInt32().ShouldNotBe(NumberOf("first"));
        var hers = Model.PlaceOf(await TastesAsync("first-lover-0"));
        var others = Model.PlaceOf(await TastesAsync(ofPerson[4].GetProperty("userId").GetString()!));
        ofPerson[4].GetProperty("distance").GetDouble().ShouldBe(Math.Sqrt(hers.Zip(others, (a, b) => (a - b) * (a - b)).Sum()), 1e-5);

        var ofKind = (await GetAsync($"/api/ml/clusters/look-alikes?cluster={NumberOf("family")}")).GetProperty("people").EnumerateArray().ToList();
        ofKind.Count.ShouldBe(7);
        ofKind.ShouldAllBe(person => !person.GetProperty("userId").GetString()!.StartsWith("family"));
    }

    [TestCase("/api/ml/clusters/look-alikes", HttpStatusCode.BadRequest)]
    [TestCase("/api/ml/clusters/look-alikes?userId=ana&cluster=1", HttpStatusCode.BadRequest)]
    [TestCase("/api/ml/clusters/look-alikes?cluster=0&limit=501", HttpStatusCode.BadRequest)]
    [TestCase("/api/ml/clusters/look-alikes?cluster=3", HttpStatusCode.NotFound)]
    [TestCase("/api/ml/clusters/look-alikes?userId=hardly-known", HttpStatusCode.NotFound)]
    [TestCase("/api/ml/clusters/3/members", HttpStatusCode.NotFound)]
    [TestCase("/api/ml/clusters/-1/members", HttpStatusCode.NotFound)]
    [TestCase("/api/ml/clusters/0/members?cursor=x", HttpStatusCode.BadRequest)]
    [TestCase("/api/features/segments/no-such/members", HttpStatusCode.NotFound)]
    [TestCase("/api/recommendations/segments/no-such", HttpStatusCode.NotFound)]
    public async Task What_cannot_be_asked_is_refused_with_a_reason(string path, HttpStatusCode status)
    {
        var answer = await Admin.GetAsync(path);

        answer.StatusCode.ShouldBe(status);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        (problem.TryGetProperty("errors", out _) || problem.GetProperty("detail").GetString()!.Length > 0).ShouldBeTrue();
    }

    [Test]
    public async Task Kinds_and_members_are_for_whom_the_segments_are()
    {
        using var buyer = await SignInAsync("buyer");
        using var dealer = await SignInAsync("dealer");
        foreach (var path in new[] { "/api/ml/clusters", "/api/ml/clusters/0/members", "/api/ml/clusters/look-alikes?cluster=0" })
        {
            (await Client.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
            (await buyer.GetAsync(path)).StatusCode.ShouldBe((await buyer.GetAsync("/api/features/segments")).StatusCode, path);
            (await dealer.GetAsync(path)).StatusCode.ShouldBe((await dealer.GetAsync("/api/features/segments")).StatusCode, path);
        }
    }
}
