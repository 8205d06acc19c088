using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Messaging;
using Quartz;

namespace OKLA.Shared.Jobs;

/// <summary>Registration of the scheduler and of jobs.</summary>
public static class JobsServices
{
    /// <summary>
    /// Adds Quartz, clustered on the data source (schema <c>quartz</c>), and <see cref="JobRuns"/> (section <c>Jobs</c>).
    /// The migrations of this assembly must be applied before the host starts.
    /// </summary>
    /// <param name="services">Where it is added.</param>
    /// <param name="runJobs">False for command-line verbs: nothing runs here, but a job can be queued for the nodes that do.</param>
    public static IServiceCollection AddJobs(this IServiceCollection services, bool runJobs = true)
    {
        services.AddMetrics().AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<JobsOptions>().BindConfiguration("Jobs").ValidateDataAnnotations().ValidateOnStart()
            .Validate<IEnumerable<DeclaredJob>>((_, declared) => declared.GroupBy(d => d.Name).All(g => g.Count() == 1), "Two jobs have the same name.");
        services.AddSingleton<JobQueue>().AddSingleton<JobMetrics>();
        services.AddSingleton(s => new JobRuns(
            s.GetServices<DeclaredJob>(), s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<ISchedulerFactory>(), s.GetRequiredService<JobQueue>(), s.GetRequiredService<TimeProvider>()));
        services.AddScoped<JobProgress>();
        services.AddQuartz(quartz => quartz
            .ConfigureScheduler(o =>
            {
                o.InstanceName = "okla";
                o.ShutdownJobInterruption = ShutdownJobInterruption.Always;
                o.DefaultTimeZone = JobSchedule.SantoDomingo;
            })
            .UsePersistentStore(store => store
                .UsePostgres(source => source.DataSourceFactory = s => s.GetRequiredService<NpgsqlDataSource>())
                .UseClustering()
                .ProvisionSchema()
                .ConfigureStore(o =>
                {
                    o.TablePrefix = "quartz.qrtz_";
                    o.StoreJobDataAsStrings = true;
                    o.RecoverFiringsCancelledByShutdown = true;
                }))
            .AddJob<JobCheck>(job => job.WithIdentity(JobCheck.Name).WithDescription("Queues the jobs that are due").DisallowConcurrentExecution())
            .AddTrigger<JobCheck>((s, trigger) => trigger.WithIdentity(JobCheck.Name).ForJob(JobCheck.Name).StartNow()
                .WithSchedule(SimpleScheduleBuilder.Create().WithInterval(s.GetRequiredService<IOptions<JobsOptions>>().Value.CheckInterval).RepeatForever())));
        services.AddOptions<ThreadPoolOptions>().Configure<IOptions<JobsOptions>>((pool, jobs) => pool.MaxConcurrency = jobs.Value.MaxConcurrentJobs + 1);
        services.AddOptions<ClusteringOptions>().Configure<IOptions<JobsOptions>>((cluster, jobs) =>
            (cluster.CheckinInterval, cluster.CheckinMisfireThreshold) = (jobs.Value.ClusterCheckin, jobs.Value.ClusterCheckin));
        return runJobs ? services.AddQuartzHostedService<PatientHost>(o => o.WaitForJobsToComplete = true) : services;
    }

    /// <summary>Declares a job: a class of a few lines that invokes a message and may take <see cref="JobProgress"/>; what it sets as the context's result is kept as the run's message.</summary>
    /// <param name="services">Where it is added.</param>
    /// <param name="name">What the tables and the admin know it by; never changed afterwards.</param>
    /// <param name="description">One sentence for the admin.</param>
    /// <param name="schedule">When it is due by itself.</param>
    public static IServiceCollection AddJob<TJob>(this IServiceCollection services, string name, string description, JobSchedule schedule)
        where TJob : class, IJob =>
        services.AddJob(name, description, schedule, s => ActivatorUtilities.CreateInstance<TJob>(s));

    /// <summary>Declares a job that invokes one message and nothing else.</summary>
    /// <param name="services">Where it is added.</param>
    /// <param name="name">What the tables and the admin know it by; never changed afterwards.</param>
    /// <param name="description">One sentence for the admin.</param>
    /// <param name="schedule">When it is due by itself.</param>
    /// <param name="message">Makes the message, which may carry the progress.</param>
    public static IServiceCollection AddJob(this IServiceCollection services, string name, string description, JobSchedule schedule, Func<JobProgress, object> message) =>
        services.AddJob(name, description, schedule, s => new InvokeMessage(s.GetRequiredService<IMessageBus>(), message(s.GetRequiredService<JobProgress>())));

    private static IServiceCollection AddJob(this IServiceCollection services, string name, string description, JobSchedule schedule, Func<IServiceProvider, IJob> create)
    {
        services.AddSingleton(new DeclaredJob(name, description, schedule, create));
        return services.ConfigureAllQuartzSchedulers(quartz => quartz.AddJob<JobRunner>(job => job
            .WithIdentity(name).WithDescription(description).StoreDurably().RequestRecovery().DisallowConcurrentExecution()));
    }

    /// <summary>Waits for jobs to end at the stop, but no longer than the host does: with the database away Quartz would try for ever to write their end.</summary>
    private sealed class PatientHost(IHostApplicationLifetime lifetime, IServiceProvider services, IOptionsMonitor<QuartzHostedServiceOptions> options)
        : QuartzHostedService(lifetime, services, options), IHostedService
    {
        Task IHostedService.StopAsync(CancellationToken cancellationToken) => StopAsync(CancellationToken.None).WaitAsync(cancellationToken);
    }

    private sealed class InvokeMessage(IMessageBus bus, object message) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => await bus.InvokeAsync(message, cancellationToken);
    }
}
