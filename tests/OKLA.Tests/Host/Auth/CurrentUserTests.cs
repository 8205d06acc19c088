using System.Security.Claims;
using OKLA.Shared.Web;

namespace OKLA.Tests.Host.Auth;

/// <summary>Who may touch whose things.</summary>
internal sealed class CurrentUserTests
{
    private static readonly CurrentUser Buyer = new("b", Role.Buyer, null, new HashSet<string>());
    private static readonly CurrentUser Dealer = new("d", Role.Dealer, "dealer-7", new HashSet<string> { Policies.Scopes.Predict });
    private static readonly CurrentUser Admin = new("a", Role.Admin, null, new HashSet<string>());

    [Test]
    public void A_user_owns_what_is_theirs_and_an_admin_everything()
    {
        Buyer.MayActAs("b").ShouldBeTrue();
        Buyer.MayActAs("d").ShouldBeFalse();
        Admin.MayActAs("b").ShouldBeTrue();
        CurrentUser.Nobody.MayActAs("b").ShouldBeFalse();
    }

    [Test]
    public void A_dealers_things_are_for_those_who_sell_for_it()
    {
        Dealer.MayActForDealer("dealer-7").ShouldBeTrue();
        Dealer.MayActForDealer("dealer-8").ShouldBeFalse();
        (Dealer with { DealerId = null }).MayActForDealer("dealer-7").ShouldBeFalse();
        // The claim alone is not the role.
        (Buyer with { DealerId = "dealer-7" }).MayActForDealer("dealer-7").ShouldBeFalse();
        Admin.MayActForDealer("dealer-8").ShouldBeTrue();
    }

    [Test]
    public void Scopes_count_to_the_letter_and_an_admin_has_all()
    {
        Dealer.Has(Policies.Scopes.Predict).ShouldBeTrue();
        Dealer.Has("PREDICT").ShouldBeFalse();
        Admin.Has(Policies.Scopes.CatalogWrite).ShouldBeTrue();
        CurrentUser.Nobody.Has(Policies.Scopes.EventsWrite).ShouldBeFalse();
    }

    [Test]
    public void Claims_of_an_identity_that_was_not_authenticated_mean_nothing() =>
        CurrentUser.From(new ClaimsPrincipal(new ClaimsIdentity([new Claim(CurrentUser.Claims.User, "b")]))).ShouldBe(CurrentUser.Nobody);

    [Test]
    public void Records_of_who_did_what_name_the_user_else_the_key()
    {
        Buyer.Actor.ShouldBe("b");
        new CurrentUser(null, Role.Admin, null, new HashSet<string>(), "0123456789abcdef").Actor.ShouldBe("key:0123456789abcdef");
        CurrentUser.Nobody.Actor.ShouldBe("anonymous");
    }
}
