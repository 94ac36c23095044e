"""All repositories over one transaction."""

from commands.ports.auditing import Audit
from commands.ports.connections import Authorizations, Connections
from commands.ports.forecasting import Forecasts
from commands.ports.hosting import ApiKeys, HostReports, Sources, Webhooks
from commands.ports.lapses import Lapses
from commands.ports.notices import Notices
from commands.ports.outages import OutageNews
from commands.ports.parents import Parents
from commands.ports.people import Clients, Organizations, People
from commands.ports.reconnecting import Attempts, Links, Passes, Sessions
from commands.ports.rules import Drills, Preferences, RuleSets
from commands.ports.subscribing import Subscriptions
from storage.attempts import SqlAttempts
from storage.audit import SqlAudit
from storage.authorizations import SqlAuthorizations
from storage.connections import SqlConnections
from storage.drills import SqlDrills
from storage.forecast import SqlForecasts
from storage.host_keys import SqlApiKeys
from storage.host_reports import SqlHostReports
from storage.lapses import SqlLapses
from storage.links import SqlLinks
from storage.notices import SqlNotices
from storage.outages import SqlOutageNews
from storage.parents import SqlParents
from storage.passes import SqlPasses
from storage.people import SqlClients, SqlOrganizations, SqlPeople
from storage.rules import SqlPreferences, SqlRuleSets
from storage.sessions import SqlSessions
from storage.subscriptions import SqlSubscriptions
from storage.webhooks import SqlSources, SqlWebhooks
from storage.work import Work


class SqlUnitOfWork:
    """Implements `UnitOfWork`."""

    def __init__(self, work: Work) -> None:
        self.organizations: Organizations = SqlOrganizations(work)
        self.people: People = SqlPeople(work)
        self.clients: Clients = SqlClients(work)
        self.authorizations: Authorizations = SqlAuthorizations(work)
        self.connections: Connections = SqlConnections(work)
        self.lapses: Lapses = SqlLapses(work)
        self.forecasts: Forecasts = SqlForecasts(work)
        self.parents: Parents = SqlParents(work)
        self.subscriptions: Subscriptions = SqlSubscriptions(work)
        self.notices: Notices = SqlNotices(work)
        self.links: Links = SqlLinks(work)
        self.passes: Passes = SqlPasses(work)
        self.attempts: Attempts = SqlAttempts(work)
        self.sessions: Sessions = SqlSessions(work)
        self.rule_sets: RuleSets = SqlRuleSets(work)
        self.preferences: Preferences = SqlPreferences(work)
        self.drills: Drills = SqlDrills(work)
        self.outages: OutageNews = SqlOutageNews(work)
        self.api_keys: ApiKeys = SqlApiKeys(work)
        self.webhooks: Webhooks = SqlWebhooks(work)
        self.sources: Sources = SqlSources(work)
        self.host_reports: HostReports = SqlHostReports(work)
        self.audit: Audit = SqlAudit(work)
