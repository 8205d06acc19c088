using OKLA.ML;
using OKLA.ML.Models;
using OKLA.ML.Serving;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class LeadScorerTests
{
    [Test]
    public void Every_feature_of_a_lead_has_a_topic_with_words_for_and_against()
    {
        foreach (var topic in LeadScorer.Features.Select(LeadReasons.TopicOf).Distinct())
        {
            Texts.Spanish.Has($"lead.{topic}.up").ShouldBeTrue(topic);
            Texts.Spanish.Has($"lead.{topic}.down").ShouldBeTrue(topic);
        }
    }

    [Test]
    public void Features_of_a_topic_speak_together_and_small_ones_keep_silent()
    {
        var reasons = LeadReasons.Of(
            ["lead.dealer_rating", "lead.dealer_deal_rate", "lead.own_seconds_1d", "lead.channel"], new Explanation("log odds", -1.5, -1.2, [0.3, 0.2, -0.19, -0.01]));

        reasons.Select(reason => (reason.Topic, reason.Adds)).ShouldBe([("seller", 0.5), ("interest", -0.19)]);
        reasons[0].Text.ShouldBe("Tus compradores te califican bien y suelen cerrar contigo");
    }

    [TestCase(0.25, "hot")]
    [TestCase(0.2499, "warm")]
    [TestCase(0.15, "warm")]
    [TestCase(0.1499, "cold")]
    public void The_settings_part_hot_from_warm_and_warm_from_cold(double propensity, string band) => LeadScorer.BandOf(propensity, new LeadKnobs()).ShouldBe(band);

    [Test]
    public void A_lead_is_read_a_quarter_of_an_hour_after_its_contact()
    {
        var at = new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

        var row = LeadScorer.RowOf("ana", "car-1", "s1", "call", at);

        row.At.ShouldBe(at.AddMinutes(15));
        row.Request!["channel"].ShouldBe("call");
    }
}
