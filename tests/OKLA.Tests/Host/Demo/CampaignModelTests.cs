using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Host.Demo;

public sealed class CampaignModelTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 4, 0, 0, TimeSpan.Zero);
    private static readonly SimulationRun Run = new(5, 10, 56, Start, 0, new DemoOptions(), Campaigns: 4);

    [Test]
    public void What_came_of_the_money_is_what_was_to_be_expected_of_it()
    {
        var model = new CampaignModel(Run);
        var events = new List<StreamEvent>();
        for (var day = 0; day < Run.Days; day++)
        {
            model.Live(day, events);
        }

        var (seen, wanted, variance) = (0.0, 0.0, 0.0);
        var spent = new Dictionary<(string, string, DateTimeOffset), double>();
        var came = new Dictionary<(string, string, DateTimeOffset), int>();
        foreach (var e in events.Where(e => e.Event.Type is EventTypes.CampaignCostRecorded or EventTypes.CampaignApplication))
        {
            var said = System.Text.Json.JsonDocument.Parse(e.Event.Data).RootElement.GetProperty("properties");
            var key = (said.GetProperty("campaignId").GetString()!, said.GetProperty("channel").GetString()!, e.Event.OccurredAt!.Value.AddMinutes(-58));
            if (e.Event.Type == EventTypes.CampaignCostRecorded)
            {
                spent[key] = said.GetProperty("amount").GetDouble() / Run.Choice.PesosPerDollar;
            }
            else
            {
                came[key] = said.GetProperty("count").GetInt32();
            }
        }

        foreach (var (key, usd) in spent)
        {
            var channel = Array.FindIndex(CampaignModel.Channels, one => one.Name == key.Item2);
            var expected = model.Foreseen(CampaignModel.CampaignOf(key.Item1)!.Value.Campaign, channel, key.Item3, usd).Applications;
            seen += came.GetValueOrDefault(key);
            wanted += expected;
            variance += expected;
        }

        spent.Count.ShouldBe(Enumerable.Range(0, 4).Sum(campaign => model.ChannelsOf(campaign).Count()) * 24 * Run.Days);
        // Poisson counts: within four deviations of their sum.
        Math.Abs(seen - wanted).ShouldBeLessThan(4 * Math.Sqrt(variance));
    }

    [Test]
    public void More_money_brings_more_but_less_for_each_dollar()
    {
        foreach (var channel in CampaignModel.Channels)
        {
            CampaignModel.Response(channel, channel.HalfUsd).ShouldBe(channel.Most / 2, 1e-9);
            var (few, many, most) = (CampaignModel.Response(channel, channel.HalfUsd), CampaignModel.Response(channel, 2 * channel.HalfUsd), CampaignModel.Response(channel, 4 * channel.HalfUsd));
            many.ShouldBeGreaterThan(few);
            (most - many).ShouldBeLessThan(2 * (many - few));
            most.ShouldBeLessThan(channel.Most);
        }
    }

    [Test]
    public void Faults_come_as_often_as_the_setting_says_and_never_without_it()
    {
        // Half of all weeks of ten channels or so.
        var weeks = Enumerable.Range(0, 4).Sum(campaign => new CampaignModel(Run).ChannelsOf(campaign).Count()) * 8;
        ((double)new CampaignModel(Run).AllFaults().Count()).ShouldBeInRange(0.3 * weeks, 0.7 * weeks);
        new CampaignModel(Run).AllFaults().ShouldAllBe(fault => fault.Until > fault.From && fault.From >= Start);
        new CampaignModel(Run with { Choice = new DemoOptions { CampaignFaultsPerWeek = 0 } }).AllFaults().ShouldBeEmpty();
    }
}
