-- Scoring: presets that become another installation's take their audit log along, of which nothing
-- else ever changes.

GRANT UPDATE (installation_id) ON scoring_preset_changes TO laurel_scoring;
