import { Link } from 'react-router';
import { t } from '../texts';
import { Notice, primaryButton } from '../ui/States';

export function NotFound() {
  return (
    <div className="pt-12">
      <title>{`${t.problem.pageTitle} · ${t.brand}`}</title>
      <Notice title={t.problem.pageTitle} picture={null}>
        <p className="mt-2 text-muted">{t.problem.page}</p>
        <Link to="/" className={`${primaryButton} mt-6`}>
          {t.problem.home}
        </Link>
      </Notice>
    </div>
  );
}
