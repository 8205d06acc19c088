using System.Globalization;
using OKLA.ML.Models;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class LeadSignalsTests
{
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 16, 0, 0, TimeSpan.Zero);
    private readonly LeadSignals signals = new();

    [Test]
    public void Sellers_contacted_within_the_hour_are_counted_and_those_of_yesterday_are_not()
    {
        Judge("phone-1", "car-0", "s0", -26 * 60);
        Judge("phone-1", "car-1", "s1", 0);
        Judge("phone-1", "car-2", "s2", 10);
        var told = Judge("phone-1", "car-3", "s3", 20);

        told["contacts_hour"].ShouldBe(2);
        told["sellers_hour"].ShouldBe(3);
        told["sellers_day"].ShouldBe(3);
        told["minutes_since_last"].ShouldBe(10);
    }

    [Test]
    public void A_device_that_several_users_share_is_seen()
    {
        Judge("phone-2", "car-1", "s1", 0, user: "ana");
        Judge("phone-2", "car-2", "s2", 60, user: "ben")["users_of_device"].ShouldBe(2);
        Judge("phone-3", "car-1", "s1", 90, user: "ana")["devices_of_user"].ShouldBe(2);
    }

    [Test]
    public void Interest_before_the_contact_counts_for_its_own_item()
    {
        signals.Look("phone-4", "car-1", Monday);

        Judge("phone-4", "car-1", "s1", 5)["looked_before"].ShouldBe(1);
        Judge("phone-4", "car-2", "s2", 6)["looked_before"].ShouldBe(0);
    }

    [Test]
    public void A_message_sent_word_by_word_by_another_device_is_a_copy()
    {
        const string Message = "Hola, envíe su número de cuenta al 809-555-0123 para el depósito";
        Judge("phone-5", "car-1", "s1", 0, message: Message)["message_copies"].ShouldBe(0);
        var told = Judge("phone-6", "car-2", "s2", 1, message: Message);

        told["message_copies"].ShouldBe(1);
        told["contact_in_message"].ShouldBe(1);
    }

    private Dictionary<string, double> Judge(string device, string item, string seller, double minutes, string? user = null, string? message = null) =>
        LeadSignals.Names.Zip(signals.Judge(new ContactAttempt(Monday.AddMinutes(minutes), device, user, item, seller, message)))
            .Where(pair => pair.Second is not null).ToDictionary(pair => pair.First, pair => double.Parse(pair.Second!, CultureInfo.InvariantCulture));
}
