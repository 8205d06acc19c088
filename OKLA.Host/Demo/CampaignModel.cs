using System.Buffers;
using System.Globalization;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Host.Demo;

/// <summary>How a channel answers to money, and what its steps from sight to goal are like.</summary>
/// <param name="Name">Name, as events bear it.</param>
/// <param name="Most">Applications an hour that no money can pass, at mean season.</param>
/// <param name="HalfUsd">Dollars an hour that bring half of those.</param>
/// <param name="Shape">Exponent of the curve; above 1 the first dollars bring little.</param>
/// <param name="Cpm">Dollars for a thousand impressions at middling competition.</param>
/// <param name="ApplicationRate">Applications a click.</param>
/// <param name="ConversionRate">Goals an application.</param>
/// <param name="Weekdays">Factor by weekday, from Sunday.</param>
internal sealed record CampaignChannel(
    string Name, double Most, double HalfUsd, double Shape, double Cpm, double ApplicationRate, double ConversionRate, double[] Weekdays);

/// <summary>
/// Advertising campaigns of dealers: by channel and hour what was spent and what came of it. Applications follow a curve of diminishing returns (Hill, as in Jin, Wang,
/// Sun, Chan, Koehler 2017, "Bayesian methods for media mix modeling with carryover and shape effects", section 2.2) times the seasons of hour and weekday, the campaign's own
/// appeal and the competition; counts are Poisson. Now and then something breaks, and the truth knows when.
/// </summary>
/// <remarks>
/// Levels (some dollars an hour, costs of ten to sixty dollars an application) are assumptions for small advertisers; the shares of hours are those of <see cref="Visitor"/>'s
/// visits. Budgets move from week to week by a third and from day to day by a sixth, as advertisers try things; how often faults come is a setting.
/// Everything is a function of the seed, the campaign, the channel and the hour alone, so that any hour can be made again.
/// </remarks>
internal sealed class CampaignModel(SimulationRun run)
{
    /// <summary>What can break.</summary>
    public const string BrokenPage = "broken_page", RunawayBid = "runaway_bid", LostTracking = "lost_tracking", FalseClicks = "false_clicks";

    public static readonly CampaignChannel[] Channels =
    [
        new("search", 2.6, 24, 1.0, 14, 0.10, 0.12, [0.75, 1.15, 1.1, 1.05, 1.05, 1.05, 0.85]),
        new("social", 3.4, 40, 1.15, 4.5, 0.04, 0.07, [1.15, 0.9, 0.9, 0.95, 1.0, 1.0, 1.1]),
        new("whatsapp", 1.8, 11, 0.9, 9, 0.18, 0.15, [0.8, 1.1, 1.1, 1.05, 1.05, 1.05, 0.85]),
        new("radio-digital", 1.4, 34, 1.4, 6, 0.025, 0.05, [0.7, 1.1, 1.1, 1.1, 1.1, 1.1, 0.8]),
    ];

    private static readonly string[] Faults = [BrokenPage, RunawayBid, LostTracking, FalseClicks];
    private static readonly double[] HourSeason = Normalised([.5, .35, .25, .2, .2, .35, .7, 1, 1.2, 1.3, 1.35, 1.35, 1.45, 1.35, 1.2, 1.2, 1.2, 1.25, 1.4, 1.5, 1.6, 1.5, 1.2, .8]);
    private static readonly TimeSpan Local = TimeSpan.FromHours(-4);

    /// <summary>Name of a campaign.</summary>
    public string IdOf(int campaign) => $"campania-{run.Seed}-{campaign}";

    /// <summary>The seed and number of a simulated campaign by its name; null for all others.</summary>
    public static (ulong Seed, int Campaign)? CampaignOf(string id) => id.Split('-') is ["campania", var seed, var number]
        && ulong.TryParse(seed, NumberStyles.None, CultureInfo.InvariantCulture, out var s) && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? (s, n) : null;

    /// <summary>Channels that a campaign runs on: two to four of them.</summary>
    public IEnumerable<int> ChannelsOf(int campaign)
    {
        var random = SeededRandom.Of(run.Seed, (ulong)campaign, 0xCA01);
        var (first, count) = (random.Next(Channels.Length), 2 + random.Next(3));
        return Enumerable.Range(0, count).Select(i => (first + i) % Channels.Length).Order();
    }

    /// <summary>What a campaign means to spend on a channel in an hour, in dollars.</summary>
    public double Planned(int campaign, int channel, DateTimeOffset hour)
    {
        var days = (int)Math.Floor((hour - run.Start).TotalDays);
        double Draw(ulong what, int number) => SeededRandom.Of(run.Seed, (ulong)((campaign * 8) + channel), what ^ ((ulong)(uint)number << 20)).Gaussian();
        // One campaign in three is tiny.
        var size = campaign % 3 == 2 ? 0.2 : 0.7;
        var daily = 24 * size * Channels[channel].HalfUsd * Math.Exp((0.3 * Draw(1, 0)) + (0.33 * Draw(2, days / 7)) + (0.16 * Draw(3, days)));
        return daily * HourSeason[hour.ToOffset(Local).Hour] / 24;
    }

    /// <summary>Share of auctions that others win on a channel, 0 to 1: it drifts from day to day and differs a little from hour to hour.</summary>
    public double Competition(int channel, DateTimeOffset hour)
    {
        double Day(int day) => SeededRandom.Of(run.Seed, (ulong)channel, 0xC0D0UL ^ ((ulong)(uint)day << 16)).Gaussian();
        var at = (hour - run.Start).TotalDays;
        var (day, part) = ((int)Math.Floor(at), at - Math.Floor(at));
        var level = ((1 - part) * Day(day)) + (part * Day(day + 1)) + (0.3 * SeededRandom.Of(run.Seed, (ulong)channel, 0xC0D1UL ^ (ulong)hour.UtcTicks).Gaussian());
        return 1 / (1 + Math.Exp(-0.8 * level));
    }

    /// <summary>Expected applications of an hour in which so much is spent and nothing is broken.</summary>
    public double Expected(int campaign, int channel, DateTimeOffset hour, double usd)
    {
        var (c, local) = (Channels[channel], hour.ToOffset(Local));
        var appeal = Math.Exp(0.25 * SeededRandom.Of(run.Seed, (ulong)campaign, 0xCA02).Gaussian());
        return appeal * Response(c, usd) * HourSeason[local.Hour] * c.Weekdays[(int)local.DayOfWeek] * Math.Exp(-0.6 * (Competition(channel, hour) - 0.5));
    }

    /// <summary>What moves people on a day and nobody measures: weather, a match, a payday.</summary>
    public double Mood(DateTimeOffset hour) => Math.Exp(0.1 * SeededRandom.Of(run.Seed, (ulong)(long)Math.Floor((hour - run.Start).TotalDays), 0x300D).Gaussian());

    /// <summary>What an hour should bring that somebody foretells who knows everything but the dice: dollars where none are named, and applications, faults and mood included.</summary>
    public (double Usd, double Applications) Foreseen(int campaign, int channel, DateTimeOffset hour, double? spent)
    {
        var fault = FaultOf(campaign, channel, (int)Math.Floor((hour - run.Start).TotalDays / 7));
        var kind = fault is not null && hour >= fault.From && hour < fault.Until ? fault.Kind : "";
        var usd = spent ?? (Planned(campaign, channel, hour) * Dearer(kind));
        return (usd, Expected(campaign, channel, hour, kind == FalseClicks ? usd / 2 : usd) * Mood(hour) * (kind == BrokenPage ? 0.1 : kind == LostTracking ? 0 : 1));
    }

    /// <summary>The curve of diminishing returns: applications an hour at mean season.</summary>
    public static double Response(CampaignChannel channel, double usd) =>
        usd <= 0 ? 0 : channel.Most / (1 + Math.Pow(channel.HalfUsd / usd, channel.Shape));

    /// <summary>All faults, in the order of campaign, channel and time.</summary>
    public IEnumerable<CampaignFault> AllFaults()
    {
        for (var campaign = 0; campaign < run.Campaigns; campaign++)
        {
            foreach (var channel in ChannelsOf(campaign))
            {
                for (var week = 0; week * 7 < run.Days; week++)
                {
                    if (FaultOf(campaign, channel, week) is { } fault)
                    {
                        yield return fault;
                    }
                }
            }
        }
    }

    /// <summary>Writes what happened on a day, an hour after the other.</summary>
    public void Live(int day, List<StreamEvent> events)
    {
        for (var campaign = 0; campaign < run.Campaigns; campaign++)
        {
            var (id, channels) = (IdOf(campaign), ChannelsOf(campaign).ToArray());
            if (day % 7 == 0)
            {
                var week = channels.Sum(channel => Enumerable.Range(0, 24 * 7).Sum(hour => Planned(campaign, channel, run.Start.AddDays(day).AddHours(hour))));
                var random = SeededRandom.Of(run.Seed, (ulong)campaign, 0xB0D6UL ^ ((ulong)(uint)day << 20));
                events.Add(Event(ref random, EventTypes.CampaignBudgetSet, id, null, run.Start.AddDays(day), json =>
                {
                    json.WriteNumber("amount", Math.Round((decimal)(week * run.Choice.PesosPerDollar) / 100) * 100);
                    json.WriteString("currency", "DOP");
                    json.WriteNumber("days", 7);
                }));
            }

            foreach (var channel in channels)
            {
                var fault = FaultOf(campaign, channel, day / 7);
                for (var hour = 0; hour < 24; hour++)
                {
                    Hour(campaign, channel, id, run.Start.AddDays(day).AddHours(hour), fault, events);
                }
            }
        }
    }

    private void Hour(int campaign, int channel, string id, DateTimeOffset hour, CampaignFault? fault, List<StreamEvent> events)
    {
        var (c, random) = (Channels[channel], SeededRandom.Of(run.Seed, (ulong)((campaign * 8) + channel), (ulong)hour.UtcTicks));
        var kind = fault is not null && hour >= fault.From && hour < fault.Until ? fault.Kind : "";
        var usd = Planned(campaign, channel, hour) * Math.Exp(0.1 * random.Gaussian()) * Dearer(kind);
        var useful = kind == FalseClicks ? usd / 2 : usd;
        var expected = Expected(campaign, channel, hour, useful) * Mood(hour);
        var competition = Competition(channel, hour);
        var shown = random.Poisson(usd / (c.Cpm * (0.6 + (0.8 * competition))) * 1000);
        var clicks = random.Poisson(expected / c.ApplicationRate) * (kind == LostTracking ? 0 : 1) + (kind == FalseClicks ? random.Poisson(5 * expected / c.ApplicationRate) : 0);
        var applications = kind == LostTracking ? 0 : random.Poisson(expected * (kind == BrokenPage ? 0.1 : 1));
        var goals = Enumerable.Range(0, applications).Count(_ => random.Chance(c.ConversionRate));
        var at = hour.AddMinutes(58);
        foreach (var (type, count) in new[] { (EventTypes.CampaignImpression, shown), (EventTypes.CampaignClick, clicks), (EventTypes.CampaignApplication, applications) })
        {
            if (count > 0)
            {
                events.Add(Event(ref random, type, id, c.Name, at, json => json.WriteNumber("count", count)));
            }
        }

        if (goals > 0)
        {
            var worth = Math.Round(goals * 250 * (0.7 + (0.6 * random.Next())));
            events.Add(Event(ref random, EventTypes.CampaignConversion, id, c.Name, at, json =>
            {
                json.WriteString("goal", "sale");
                json.WriteNumber("value", worth);
                json.WriteString("currency", "USD");
                json.WriteNumber("count", goals);
            }));
        }

        events.Add(Event(ref random, EventTypes.CampaignCostRecorded, id, c.Name, at, json =>
        {
            json.WriteNumber("amount", Math.Round((decimal)(usd * run.Choice.PesosPerDollar), 2));
            json.WriteString("currency", "DOP");
            json.WriteNumber("competition", Math.Round(competition, 3));
        }));
    }

    private static double Dearer(string kind) => kind == RunawayBid ? 4 : kind == FalseClicks ? 2 : 1;

    private CampaignFault? FaultOf(int campaign, int channel, int week)
    {
        var random = SeededRandom.Of(run.Seed, (ulong)((campaign * 8) + channel), 0xFA17UL ^ ((ulong)(uint)week << 20));
        if (!random.Chance(run.Choice.CampaignFaultsPerWeek))
        {
            return null;
        }

        // By day, when there is something to break; three to twelve hours, within the week.
        var from = run.Start.AddDays((7 * week) + random.Next(7)).AddHours(7 + random.Next(10));
        return new CampaignFault(IdOf(campaign), Channels[channel].Name, Faults[random.Next(Faults.Length)], from, from.AddHours(3 + random.Next(5)));
    }

    private static StreamEvent Event(ref SeededRandom random, string type, string id, string? channel, DateTimeOffset at, Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("properties");
            json.WriteString("campaignId", id);
            if (channel is not null)
            {
                json.WriteString("channel", channel);
            }

            properties(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new StreamEvent($"campaign-{id}", new NewEvent(type, buffer.WrittenSpan.ToArray()) { Id = random.NextId(), OccurredAt = at, KnownAt = at });
    }

    private static double[] Normalised(double[] weights) => [.. weights.Select(weight => weight * weights.Length / weights.Sum())];
}

/// <summary>
/// Handles <see cref="GetTrueCampaigns"/> and <see cref="GetTrueCampaignHours"/>: makes curves, faults and expectations again out of the seed and the parameters that the log keeps.
/// The log has pesos, which the simulation makes of its dollars at a rate of its own: truths are told in dollars as the house reads those pesos.
/// </summary>
internal sealed class TrueCampaignsHandler(EventLog log, ExchangeRates rates)
{
    public async Task<TrueCampaigns> HandleAsync(GetTrueCampaigns query, CancellationToken ct)
    {
        var (responses, faults) = (Array.Empty<TrueResponse>(), new List<CampaignFault>());
        foreach (var seed in query.CampaignIds.Select(CampaignModel.CampaignOf).OfType<(ulong Seed, int Campaign)>().Select(known => known.Seed).Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { } found)
            {
                var dollars = Dollars(found.Run, found.Run.Start.AddDays(found.Run.Days));
                responses = Array.ConvertAll(CampaignModel.Channels, c => new TrueResponse(c.Name, c.Most, c.HalfUsd * dollars, c.Shape));
                faults.AddRange(new CampaignModel(found.Run).AllFaults().Where(fault => query.CampaignIds.Contains(fault.CampaignId)));
            }
        }

        return new TrueCampaigns(responses, faults);
    }

    public async Task<TrueCampaignHours> HandleAsync(GetTrueCampaignHours query, CancellationToken ct)
    {
        var models = new Dictionary<ulong, (CampaignModel Model, SimulationRun Run)?>();
        var (usd, applications) = (new double[query.Hours.Count], new double[query.Hours.Count]);
        for (var i = 0; i < usd.Length; i++)
        {
            var (id, name, hour, spent) = query.Hours[i];
            (usd[i], applications[i]) = (double.NaN, double.NaN);
            var channel = Array.FindIndex(CampaignModel.Channels, one => one.Name == name);
            if (CampaignModel.CampaignOf(id) is not { } known || channel < 0)
            {
                continue;
            }

            if (!models.TryGetValue(known.Seed, out var simulated))
            {
                models[known.Seed] = simulated = await SimulationRuns.FindAsync(log, known.Seed, ct) is { } found ? (new CampaignModel(found.Run), found.Run) : null;
            }

            if (simulated is { } truth)
            {
                var dollars = Dollars(truth.Run, hour);
                var foreseen = truth.Model.Foreseen(known.Campaign, channel, hour, spent / dollars);
                (usd[i], applications[i]) = (foreseen.Usd * dollars, foreseen.Applications);
            }
        }

        return new TrueCampaignHours(usd, applications);
    }

    /// <summary>Dollars of the house that a dollar of a simulation is written down as.</summary>
    private double Dollars(SimulationRun run, DateTimeOffset at) => run.Choice.PesosPerDollar / (double)rates.DopPerUsd(at);
}
