using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Shared.Messaging;

public sealed class HandlerMapTests
{
    internal sealed record Lonely : ICommand;

    internal sealed record Doubled : IQuery<int>;

    internal sealed record Wrong : IQuery<int>;

    internal sealed record Fitting : IQuery<IReadOnlyList<int>>;

    internal static class FirstHandler
    {
        public static int Handle(Doubled query) => 1;

        public static int Handle(Wrong query, IMissing missing) => 2;
    }

    internal interface IMissing;

    internal static class SecondHandler
    {
        public static int Handle(Doubled query) => 2;
    }

    internal static class WrongHandler
    {
        public static string Handle(Wrong query) => "text";
    }

    internal static class FittingHandler
    {
        public static Task<int[]> HandleAsync(Fitting query) => Task.FromResult(new[] { 1 });

        private static int Handle(Fitting query, int helper) => helper;

        public static int Use() => Handle(new(), 3);
    }

    internal static class GenericHandler
    {
        public static void Handle<T>(T message) => ArgumentNullException.ThrowIfNull(message);
    }

    private static string Problems(IServiceProviderIsService? known, params Type[] types) =>
        Should.Throw<InvalidOperationException>(() => new HandlerMap(types, known)).Message;

    [Test]
    public void A_contract_without_a_handler_stops_the_start_with_its_name() =>
        Problems(null, typeof(Lonely)).ShouldContain("HandlerMapTests+Lonely has no handler");

    [Test]
    public void A_contract_with_two_handlers_stops_the_start_with_both_names()
    {
        var message = Problems(null, typeof(Doubled), typeof(FirstHandler), typeof(SecondHandler));
        message.ShouldContain("HandlerMapTests+Doubled has 2 handlers");
        message.ShouldContain("FirstHandler.Handle");
        message.ShouldContain("SecondHandler.Handle");
    }

    [Test]
    public void A_handler_that_answers_another_type_stops_the_start() =>
        Problems(null, typeof(Wrong), typeof(WrongHandler)).ShouldContain("answers String to OKLA.Tests.Shared.Messaging.HandlerMapTests+Wrong, not Int32");

    [Test]
    public void A_service_that_is_not_registered_stops_the_start()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        Problems(services.GetRequiredService<IServiceProviderIsService>(), typeof(FirstHandler)).ShouldContain("HandlerMapTests+IMissing, which is not registered");
    }

    [Test]
    public void A_generic_handler_is_refused() => Problems(null, typeof(GenericHandler)).ShouldContain("GenericHandler.Handle cannot be a handler");

    [Test]
    public void All_problems_are_told_at_once()
    {
        var message = Problems(null, typeof(Lonely), typeof(Doubled));
        message.ShouldContain("Lonely");
        message.ShouldContain("Doubled");
    }

    [Test]
    public void An_answer_that_implements_the_contracts_type_fits() =>
        new HandlerMap([typeof(Fitting), typeof(FittingHandler)]).One(typeof(Fitting)).Name.ShouldEndWith("FittingHandler.HandleAsync");
}
