using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Registry;
using OKLA.ML.Serving;

namespace OKLA.Tests.Modules.ML.Serving;

/// <summary>What first answers cost is paid before anybody waits for one.</summary>
public sealed class FirstAnswersTests : ServingTest
{
    [Test]
    public async Task A_version_that_is_promoted_or_taken_back_was_asked_before_it_is_seen()
    {
        var (models, registry) = (Service<ServedModels>(), Service<ModelRegistry>());
        models.ReadAhead();
        var (first, second) = (await SaveAsync(new Line(31)), await SaveAsync(new Line(32)));

        await PublishAsync(first);
        (models.Find(LineModel.ModelName)!.Version, LineModel.AnsweredBy(31) > 0).ShouldBe((first, true));
        await PublishAsync(second);
        (models.Find(LineModel.ModelName)!.Version, LineModel.AnsweredBy(32) > 0).ShouldBe((second, true));

        // Back on a host that has only met the second: the first is read again before it answers.
        await using var other = await HostAsync();
        var (there, before) = (other.Services.GetRequiredService<ServedModels>(), LineModel.AnsweredBy(31));
        await other.Services.GetRequiredService<FirstAnswers>().AskAsync(default);
        await registry.PublishAsync(LineModel.ModelName, first, default);
        await there.RefreshAsync();
        (there.Find(LineModel.ModelName)!.Version, LineModel.AnsweredBy(31) > before).ShouldBe((first, true));
        await other.StopAsync();
    }

    [Test]
    public async Task A_host_starts_though_what_serves_cannot_be_read_or_fails()
    {
        await PublishAsync(await SaveAsync(new Line(41, Fails: true)));
        await PublishAsync(await SaveAsync(new Line(42), artefact: "no line"));

        await using var other = await HostAsync();
        await other.Services.GetRequiredService<FirstAnswers>().AskAsync(default);

        using var client = ClientOf(other);
        (await client.GetAsync($"/api/ml/models/{LineModel.ModelName}/signature")).IsSuccessStatusCode.ShouldBeTrue();
        await other.StopAsync();
    }
}
