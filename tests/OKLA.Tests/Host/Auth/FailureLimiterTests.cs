using System.Net;
using Microsoft.Extensions.Options;
using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

internal sealed class FailureLimiterTests
{
    private readonly ManualTime time = new();

    [Test]
    public async Task An_address_that_fails_too_often_is_told_to_wait_and_others_are_not()
    {
        var settings = AuthApp.HmacSettings;
        settings["Auth:FailureBurst"] = "5";
        settings["Auth:FailuresPerMinute"] = "6";
        await using var app = await AuthApp.StartAsync("Production", time, settings);
        var good = Tokens.Hs256(Tokens.Claims(time.GetUtcNow()));
        (string, string)[] here = [("X-Test-Address", "203.0.113.7")];

        for (var i = 0; i < 5; i++) (await app.SendAsync("/buyer", "x.y.z", headers: here)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var blocked = await app.SendAsync("/buyer", good, headers: here);
        (blocked.Status, blocked.Code, blocked.RetryAfter).ShouldBe((HttpStatusCode.TooManyRequests, "too_many_failures", TimeSpan.FromSeconds(10)));
        (await app.SendAsync("/buyer", good, headers: [("X-Test-Address", "203.0.113.8")])).Status.ShouldBe(HttpStatusCode.OK);
        // Without a credential there is nothing to guess with.
        (await app.SendAsync("/anonymous", headers: here)).Status.ShouldBe(HttpStatusCode.OK);

        time.Advance(TimeSpan.FromSeconds(10));
        (await app.SendAsync("/buyer", good, headers: here)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task A_token_that_ran_out_is_no_failure()
    {
        var settings = AuthApp.HmacSettings;
        settings["Auth:FailureBurst"] = "5";
        await using var app = await AuthApp.StartAsync("Production", time, settings);
        var claims = Tokens.Claims(time.GetUtcNow());
        claims["exp"] = 1;
        for (var i = 0; i < 20; i++) (await app.SendAsync("/buyer", Tokens.Hs256(claims))).Code.ShouldBe("token_expired");
    }

    [Test]
    public void Addresses_of_one_home_count_as_one()
    {
        var limiter = Limiter();
        for (var i = 0; i < 5; i++) limiter.Count(IPAddress.Parse($"2001:db8:0:1::{i}"));
        limiter.WaitOf(IPAddress.Parse("2001:db8:0:1:ffff::1")).ShouldBe(TimeSpan.FromSeconds(60));
        limiter.WaitOf(IPAddress.Parse("2001:db8:0:2::1")).ShouldBe(TimeSpan.Zero);
        for (var i = 0; i < 5; i++) limiter.Count(IPAddress.Parse("192.0.2.1"));
        limiter.WaitOf(IPAddress.Parse("::ffff:192.0.2.1")).ShouldBe(TimeSpan.FromSeconds(60));
        limiter.WaitOf(IPAddress.Parse("192.0.2.2")).ShouldBe(TimeSpan.Zero);
    }

    [Test]
    public void A_flood_from_many_addresses_takes_no_memory_and_blocks_nobody_else()
    {
        var limiter = Limiter();
        limiter.Count(IPAddress.Loopback);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var address = new byte[4];
        for (var i = 0; i < 100_000; i++) limiter.Count(Address(address, i));
        var perCall = (GC.GetAllocatedBytesForCurrentThread() - before) / 100_000.0;
        perCall.ShouldBeLessThan(200, "only the address objects themselves, which are garbage at once");
        limiter.WaitOf(IPAddress.Parse("203.0.113.1")).ShouldBe(TimeSpan.Zero);
    }

    private static IPAddress Address(byte[] bytes, int number)
    {
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (10, (byte)(number >> 16), (byte)(number >> 8), (byte)number);
        return new IPAddress(bytes);
    }

    private FailureLimiter Limiter() => new(Options.Create(new AuthOptions { FailureBurst = 5, FailuresPerMinute = 1 }), time);
}
