using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OKLA.Shared.Caching;

namespace OKLA.Tests.Shared.Caching;

public sealed class CacheBackplaneTests : DatabaseTest
{
    private async Task<IHost> NodeAsync()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(Database);
        builder.Services.AddCaching();
        var node = builder.Build();
        await node.StartAsync();
        return node;
    }

    private static HybridCache Cache(IHost node) => node.Services.GetRequiredService<HybridCache>();

    private static async Task<string> Get(IHost node, string key, string value, params string[] tags) =>
        await Cache(node).GetOrCreateAsync(key, _ => new ValueTask<string>(value), tags: tags);

    private async Task Listening(int nodes)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (await ScalarAsync<long>("select count(*) from pg_stat_activity where query = 'listen okla_cache' and datname = current_database() and state = 'idle'") < nodes)
            await Task.Delay(10, deadline.Token);
    }

    // The server shows the listener before the node has ended what it held until then. A value that was only ended still bridges
    // a failure, one that was evicted does not, and evictions are heard after that moment.
    private async Task Settle(IHost node)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await Get(node, "settle", "v");
        await ExecuteAsync("select pg_notify('okla_cache', 'test k settle')");
        while (await Bridges(node)) await Task.Delay(10, deadline.Token);
    }

    private static async Task<bool> Bridges(IHost node)
    {
        try
        {
            await Cache(node).GetOrCreateAsync("settle", ValueTask<string> (_) => throw new IOException("down"));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task Becomes(IHost node, string key, string value)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (await Get(node, key, value) != value) await Task.Delay(10, deadline.Token);
    }

    [Test]
    public async Task What_one_node_removes_or_sets_leaves_the_other()
    {
        using var first = await NodeAsync();
        using var second = await NodeAsync();
        await Listening(2);
        await Settle(second);
        await Settle(first);

        await Get(second, "key", "old");
        await Get(second, "a name with spaces", "old", "tag");
        await Get(second, "untouched", "old");
        await Get(second, "set", "old");
        await Cache(first).RemoveAsync("key");
        await Cache(first).RemoveByTagAsync("tag");
        await Cache(first).SetAsync("set", "new");

        await Becomes(second, "key", "new");
        await Becomes(second, "a name with spaces", "new");
        await Becomes(second, "set", "new");
        (await Get(first, "set", "made again")).ShouldBe("new", "the node that sets keeps it");
        (await Get(second, "untouched", "new")).ShouldBe("old");
        await first.StopAsync();
        await second.StopAsync();
    }

    [Test]
    public async Task A_node_whose_connection_is_cut_believes_nothing_from_before()
    {
        using var node = await NodeAsync();
        await Listening(1);
        await Settle(node);
        await Get(node, "key", "old");
        await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen okla_cache' and datname = current_database()");
        await Becomes(node, "key", "new");
        await node.StopAsync();
    }

    [Test]
    public async Task What_was_removed_just_before_the_stop_is_told()
    {
        var first = await NodeAsync();
        using var second = await NodeAsync();
        await Listening(2);
        await Settle(second);
        await Get(second, "last", "old");
        await Cache(first).RemoveAsync("last");
        await first.StopAsync();
        first.Dispose();
        await Becomes(second, "last", "new");
        await second.StopAsync();
    }
}
