using Microsoft.Extensions.Logging.Abstractions;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Tests.Modules.ML.Serving;

public sealed class AskerTests
{
    private static readonly CurrentUser Rosa = new("rosa", Role.Buyer, null, new HashSet<string>());
    private static readonly CurrentUser Server = new(null, Role.Anonymous, null, new HashSet<string> { Policies.Scopes.Predict }, "key-1", IsServer: true);

    [TestCase(null, null)]
    [TestCase("a-browser", "a-browser")]
    [TestCase("her-phone", "her-phone")]
    [TestCase("rosa", null)]
    public async Task Nobody_that_is_known_names_browsers_and_no_users(string? person, string? whom) => (await WhomAsync(CurrentUser.Nobody, person)).ShouldBe(whom);

    [TestCase(null)]
    [TestCase("a-browser")]
    [TestCase("pedro")]
    public async Task Who_is_signed_in_is_asked_about_alone(string? person) => (await WhomAsync(Rosa, person)).ShouldBe("rosa");

    [TestCase("a-browser")]
    [TestCase("rosa")]
    public async Task Who_may_speak_for_others_says_it(string person) => (await WhomAsync(Server, person)).ShouldBe(person);

    [Test]
    public async Task While_nobody_knows_users_nobody_counts() => (await Asker.WhomAsync(CurrentUser.Nobody, "a-browser", new Town(down: true), NullLogger.Instance, default)).ShouldBeNull();

    private static ValueTask<string?> WhomAsync(CurrentUser caller, string? person) => Asker.WhomAsync(caller, person, new Town(down: false), NullLogger.Instance, default);

    /// <summary>Rosa and Pedro are users; her phone is a browser of Rosa's.</summary>
    private sealed class Town(bool down) : IMessageBus
    {
        public Task<T> InvokeAsync<T>(object message, CancellationToken ct = default) => down ? throw new TimeoutException("down") : Task.FromResult((T)(object)(((FindPerson)message).Id switch
        {
            "rosa" or "her-phone" => new Person("rosa", true, ["her-phone"]),
            "pedro" => new Person("pedro", true, []),
            var other => new Person(other, false, []),
        }));

        public Task InvokeAsync(object message, CancellationToken ct = default) => throw new NotSupportedException();

        public ValueTask PublishAsync(object message, CancellationToken ct = default) => throw new NotSupportedException();
    }
}
